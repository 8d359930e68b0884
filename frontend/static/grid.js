// Cards of thousands of samples, of which only the rows in sight are elements of the page.

import { h, steps } from "./dom.js";

const GAP = 12;
const MARGIN_ROWS = 2;
const PADDING = 10;
const FOOT = 46; // Ratio bar, value and seed below the images.

export class Grid {
  constructor(node, choose) {
    this.node = node;
    this.choose = choose;
    this.rows = new Map();
    this.order = [];
    this.selected = null;
    this.onScroll = () => this.soon();
    // Streamlit's page scrolls in an element of its own; scroll events do not bubble, but they can be captured.
    document.addEventListener("scroll", this.onScroll, { capture: true, passive: true });
    this.resize = new ResizeObserver(() => this.layout());
    this.resize.observe(node);
    node.addEventListener("click", (event) => {
      const card = event.target.closest("[data-seed]");
      if (card) this.choose(Number(card.dataset.seed), true);
    });
    node.addEventListener("keydown", (event) => this.key(event));
  }

  close() {
    document.removeEventListener("scroll", this.onScroll, { capture: true });
    this.resize.disconnect();
  }

  // Other samples, or the same at another checkpoint: every card in sight is made anew, and nothing moves.
  show(samples, tiles, selected) {
    this.samples = samples;
    this.tiles = tiles;
    this.order = tiles ? tiles.order : [];
    this.selected = selected;
    this.refocus = this.node.contains(document.activeElement);
    this.clear();
    this.layout();
    if (this.refocus) this.focusSelected();
  }

  clear() {
    for (const row of this.rows.values()) row.remove();
    this.rows.clear();
  }

  select(seed) {
    this.selected = seed;
    for (const card of this.node.querySelectorAll("[data-seed]")) this.mark(card);
  }

  layout() {
    const width = this.node.clientWidth;
    if (!width || !this.samples) return;
    const before = `${this.columns} ${this.card}`;
    this.columns = width < 460 ? 2 : width < 640 ? 3 : width < 820 ? 4 : Math.max(5, Math.floor(width / 300));
    this.card = Math.floor((width - GAP * (this.columns - 1)) / this.columns);
    this.sizes = sizes(this.card - 2 * PADDING - 4, this.samples.image_shape);
    this.rowHeight = this.sizes.height + 2 * PADDING + 4 + FOOT + GAP;
    if (before !== `${this.columns} ${this.card}`) this.clear();
    this.node.style.height = `${Math.ceil(this.order.length / this.columns) * this.rowHeight}px`;
    this.draw();
  }

  soon() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.draw();
    });
  }

  // First and last row in sight, and a few around them.
  visible() {
    const top = this.node.getBoundingClientRect().top;
    const last = Math.ceil(this.order.length / this.columns) - 1;
    const first = Math.floor(-top / this.rowHeight) - MARGIN_ROWS;
    return [Math.max(0, Math.min(first, last)), Math.min(last, Math.ceil((window.innerHeight - top) / this.rowHeight) + MARGIN_ROWS)];
  }

  // The first and the last place in sight, or likely to be where nothing is laid out yet.
  positions() {
    if (!this.rowHeight) return [0, 39];
    const [first, last] = this.visible();
    return [first * this.columns, (last + 1) * this.columns - 1];
  }

  draw() {
    if (!this.rowHeight || !this.node.isConnected) return;
    const [first, last] = this.visible();
    for (const [row, node] of this.rows) {
      // The row that holds the focus stays, or the keyboard would lose its place.
      if ((row < first || row > last) && !node.contains(document.activeElement)) {
        node.remove();
        this.rows.delete(row);
      }
    }
    for (let row = first; row <= last; row += 1) if (!this.rows.has(row)) this.rows.set(row, this.node.appendChild(this.row(row)));
  }

  row(row) {
    const start = row * this.columns;
    const cards = this.order.slice(start, start + this.columns).map((seed, column) => this.cardOf(seed, start + column));
    const style = { transform: `translateY(${row * this.rowHeight}px)`, gridTemplateColumns: `repeat(${this.columns}, ${this.card}px)`, gap: `${GAP}px` };
    return h("div", { class: "tau-grid-row", role: "presentation", style }, ...cards);
  }

  cardOf(seed, position) {
    const { gap_ratio: ratios, is_copy: copies, step, gap_threshold: threshold } = this.samples;
    const copy = copies[seed];
    const ratio = ratios[seed].toFixed(2);
    const pair = ["generated", "nearest", "second"].map((of) => this.canvas(of, position));
    const foot = h("span", { class: "tau-card-foot" }, h("span", {}, h("b", {}, ratio), copy && h("span", { class: "tau-copied" }, " copy")), h("span", { class: "tau-quiet" }, `seed ${seed}`));
    const label = `seed ${seed}, τ ${steps(step)}, gap ratio ${ratio}${copy ? ", copy" : ""}`;
    const about = { role: "option", "aria-label": label, "aria-posinset": position + 1, "aria-setsize": this.order.length };
    const card = h("div", { class: `tau-sample${copy ? " tau-copy" : ""}`, "data-seed": seed, ...about }, h("span", { class: "tau-pair" }, ...pair), ratioBar(ratios[seed], threshold, copy), foot);
    this.mark(card);
    return card;
  }

  canvas(of, position) {
    const [width, height] = of === "second" ? this.sizes.small : this.sizes.large;
    const canvas = h("canvas", { class: "tau-pixels", "aria-hidden": "true", style: { width: `${width}px`, height: `${height}px` } });
    this.tiles.paint(canvas, of, position);
    return canvas;
  }

  mark(card) {
    const chosen = Number(card.dataset.seed) === this.selected;
    card.classList.toggle("tau-selected", chosen);
    card.setAttribute("aria-selected", String(chosen));
    // One card takes part in the order of Tab: the selected one, or the first.
    card.tabIndex = chosen || (this.selected === null && card.getAttribute("aria-posinset") === "1") ? 0 : -1;
  }

  // Bring the selected card into sight without moving more than needed.
  reveal() {
    const position = this.order.indexOf(this.selected);
    if (position < 0) return;
    const row = Math.floor(position / this.columns);
    if (!this.rows.has(row)) this.rows.set(row, this.node.appendChild(this.row(row)));
    this.node.querySelector(`[data-seed="${this.selected}"]`).scrollIntoView({ block: "nearest" });
  }

  focusSelected() {
    this.reveal();
    this.node.querySelector(`[data-seed="${this.selected}"]`)?.focus({ preventScroll: true });
  }

  async key(event) {
    const card = event.target.closest("[data-seed]");
    if (!card || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      return this.choose(Number(card.dataset.seed), true);
    }
    const by = { ArrowDown: this.columns, ArrowUp: -this.columns, Home: -Infinity, End: Infinity }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    const to = Math.max(0, Math.min(this.order.length - 1, this.order.indexOf(Number(card.dataset.seed)) + by));
    await this.choose(this.order[to], false);
    this.focusSelected();
  }
}

// Sizes in whole multiples of an image's pixels, where that fits: [width, height] of the large two and of the small one.
function sizes(inner, [, height, width]) {
  const fit = (room) => (room >= width ? Math.floor(room / width) * width : room);
  const large = fit(Math.floor((inner - 8) / 2.4));
  const small = fit(inner - 8 - 2 * large);
  const tall = (wide) => Math.round((wide * height) / width);
  return { large: [large, tall(large)], small: [Math.min(small, large), tall(Math.min(small, large))], height: tall(large) };
}

// The gap ratio from 0 to 1 with a tick at the threshold.
export function ratioBar(ratio, threshold, copy) {
  const fill = h("span", { class: `tau-ratio-fill${copy ? " tau-is-copy" : ""}`, style: { width: `${100 * Math.min(ratio, 1)}%` } });
  return h("span", { class: "tau-ratio", "aria-hidden": "true" }, fill, h("span", { class: "tau-ratio-tick", style: { left: `${100 * threshold}%` } }));
}
