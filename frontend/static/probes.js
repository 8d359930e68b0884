// The probes page: one figure and its tables.

import { OneChart, mountOne } from "./one_chart.js";

export function mount(root, data, send) {
  return mountOne(Probes, root, data, send);
}

class Probes extends OneChart {
  constructor(root) {
    super(root, "probes");
  }
}
