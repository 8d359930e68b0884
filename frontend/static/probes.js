// The probes page: one figure and its tables.

import { DescribedPage, mountPage } from "./described.js";
import { CHART_CONFIG, patch, showSlots } from "./shell.js";

export const mount = (root, data, send) => mountPage(root, Probes, data, send);

class Probes extends DescribedPage {
  constructor(root) {
    super(root, "probes", "probes");
  }

  async put(described) {
    showSlots(described.slots);
    for (const name of ["header", "finding", "keys", "table"]) patch(this.regions[name], described[name]);
    await this.draw("probes", described, CHART_CONFIG);
  }
}
