// The mixture page: three figures of one run beside what is known of its population.

import { mountPage } from "./described.js";
import { FiguresOfARun } from "./spectrum.js";

export const mount = (root, data, send) => mountPage(root, Mixture, data, send);

class Mixture extends FiguresOfARun {
  constructor(root) {
    super(root, "mixture", "alpha");
  }
}
