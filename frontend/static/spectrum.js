// The spectrum page and the mixture page: three figures of one run, those that are not measured left out.

import { DescribedPage, mountPage } from "./described.js";
import { CHART_CONFIG, patch, showSlots } from "./shell.js";

export const mount = (root, data, send) => mountPage(root, Spectrum, data, send);

export class FiguresOfARun extends DescribedPage {
  constructor(root, page, first) {
    super(root, page, first);
    this.first = first;
  }

  async put(described) {
    showSlots(described.slots);
    for (const name of ["header", "finding", "keys", "table"]) patch(this.regions[name], described[name]);
    // The first chart keeps its width where it has nothing to show: the others are made for it.
    this.charts[this.first].closest(".tau-surface").hidden = !Object.keys(described.figures).length;
    for (const [name, chart] of Object.entries(this.charts)) {
      chart.classList.toggle("tau-undrawn", !described.figures[name]);
      if (described.figures[name]) await this.draw(name, described, CHART_CONFIG);
    }
  }
}

class Spectrum extends FiguresOfARun {
  constructor(root) {
    super(root, "spectrum", "bands");
  }
}
