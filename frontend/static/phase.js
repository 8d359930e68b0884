// The phase diagram: a tile that is clicked, or its button in the table, shows the runs it was read off.

import { OneChart, mountOne } from "./one_chart.js";

export function mount(root, data, send) {
  return mountOne(Phase, root, data, send);
}

const EXPLORING_MS = 4000;

class Phase extends OneChart {
  constructor(root) {
    super(root, "phase");
  }

  act(event) {
    const button = event.target.closest("[data-cell]");
    if (button) this.send("cell", button.dataset.cell);
    else super.act(event);
  }

  // Without several n and p there is nothing to draw, and the words and the table stand alone.
  async draw(view) {
    if (view.exploring) this.refreshSoon(EXPLORING_MS); // Between two decisions no run has news.
    this.chart.parentElement.hidden = !view.figures.phase;
    if (!view.figures.phase) return;
    await super.draw(view);
    this.chart.removeAllListeners("plotly_click");
    this.chart.on("plotly_click", ({ points }) => points[0]?.customdata && this.send("cell", points[0].customdata));
  }
}
