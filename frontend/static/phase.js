// The phase diagram: a tile that is clicked, or its button in the table, shows the runs it was read off.

import { DescribedPage, mountPage } from "./described.js";
import { CHART_CONFIG, patch, showSlots } from "./shell.js";

export const mount = (root, data, send) => mountPage(root, Phase, data, send);

const EXPLORING_MS = 4000;

class Phase extends DescribedPage {
  constructor(root) {
    super(root, "phase", "phase");
  }

  act(event) {
    const button = event.target.closest("[data-cell]");
    if (button) this.send("cell", button.dataset.cell);
    else super.act(event);
  }

  async put(described) {
    if (described.exploring) this.refreshSoon(EXPLORING_MS); // Between two decisions no run has news.
    showSlots(described.slots);
    for (const [name, region] of Object.entries(this.regions)) if (described[name] !== undefined) patch(region, described[name]);
    const chart = this.charts.phase;
    // Without several n and p there is nothing to draw, and the words and the table stand alone.
    chart.parentElement.hidden = !described.figures.phase;
    if (!described.figures.phase) return;
    await this.draw("phase", described, CHART_CONFIG);
    chart.removeAllListeners("plotly_click");
    chart.on("plotly_click", ({ points }) => points[0]?.customdata && this.send("cell", points[0].customdata));
  }
}
