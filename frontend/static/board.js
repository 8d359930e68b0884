// The board: the training images that are copied most, beside the film strip; one that is chosen filters the cards.

import { patch } from "./shell.js";
import { paint, ranges } from "./sheets.js";

const EDGE = 32;
const RETRY_MS = 3000;
const NOT_YET = "No measured samples at this checkpoint: the board is empty.";

export class Board {
  constructor(regions, page) {
    this.node = regions.board;
    this.about = regions.about;
    this.page = page;
    this.node.addEventListener("click", (event) => {
      const row = event.target.closest("[data-train]");
      if (row) page.filterTrain(row.getAttribute("aria-pressed") === "true" ? null : Number(row.dataset.train));
    });
    this.about.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (!button) return;
      if (button.dataset.step) page.go({ step: button.dataset.step });
      else page.filterTrain(null);
    });
  }

  close() {
    clearTimeout(this.timer);
    this.key = "closed";
  }

  // Measured anew only where the samples have changed; meanwhile the old board stands, which names its checkpoint.
  async show(shown) {
    const { run, step, train, measured, versions, shape } = shown;
    const asked = `/view/inspect/${encodeURIComponent(run)}/copied?step=${step}${train === null ? "" : `&train=${train}`}`;
    const key = `${asked} ${versions}`;
    if (key === this.key) return;
    this.key = key;
    clearTimeout(this.timer);
    if (train === null) patch(this.about, "");
    if (!measured) return this.draw({ board: "", about: "", images: [] }, run, shape);
    this.node.setAttribute("aria-busy", "true");
    const answer = await fetch(asked, { credentials: "same-origin" }).catch(() => null);
    if (key !== this.key) return;
    this.node.removeAttribute("aria-busy");
    if (!answer?.ok) {
      // The page itself tells what is wrong.
      this.key = null;
      this.timer = setTimeout(() => this.show(shown), RETRY_MS);
      return;
    }
    this.draw(await answer.json(), run, shape);
  }

  draw({ board, about, images }, run, shape) {
    patch(this.node, board || `<div class="tau-pair-head"><b>Most copied of the training set</b></div><p class="tau-label">${NOT_YET}</p>`);
    patch(this.about, about);
    const [, height, width] = shape;
    const wide = width <= EDGE ? Math.floor(EDGE / width) * width : EDGE;
    // In the order of their numbers the same sheet serves the board of many checkpoints.
    const sorted = [...images].sort((a, b) => a - b);
    const url = `/api/v1/runs/${run}/train/sheet.png?images=${ranges(sorted)}`;
    for (const canvas of this.node.querySelectorAll("[data-tile]")) {
      Object.assign(canvas.style, { width: `${wide}px`, height: `${Math.round((wide * height) / width)}px` });
      paint(canvas, url, sorted.indexOf(images[Number(canvas.dataset.tile)]), shape);
    }
  }
}
