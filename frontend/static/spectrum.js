// The pages of one run with several figures, the spectrum and the closed form: those that are not measured are left out.

import { DescribedPage, mountPage } from "./described.js";
import { CHART_CONFIG, patch, showSlots } from "./shell.js";

export const mount = (root, data, send) => mountPage(root, Spectrum, data, send);

class Spectrum extends DescribedPage {
  constructor(root) {
    super(root, root.dataset.view, root.querySelector("[data-chart]").dataset.chart);
  }

  async put(described) {
    showSlots(described.slots);
    for (const name of ["header", "finding", "keys", "table"]) patch(this.regions[name], described[name]);
    // The first chart keeps its width where it has nothing to show: the others are made for it.
    this.charts[this.sized].closest(".tau-surface").hidden = !Object.keys(described.figures).length;
    for (const [name, chart] of Object.entries(this.charts)) {
      chart.classList.toggle("tau-undrawn", !described.figures[name]);
      if (described.figures[name]) await this.draw(name, described, CHART_CONFIG);
    }
  }
}
