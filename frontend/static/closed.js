// The page of a closed form: curves, modes, map and spectrum, those that an experiment does not have left out.

import { mountPage } from "./described.js";
import { FiguresOfARun } from "./spectrum.js";

export const mount = (root, data, send) => mountPage(root, ClosedForm, data, send);

class ClosedForm extends FiguresOfARun {
  constructor(root) {
    super(root, "closed", "curves");
  }
}
