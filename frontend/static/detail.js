// The enlarged sample: the pair at pixel scale, the ratio, the distances, and who else is near the same training image.

import { h, noun, number, refill, steps, sub } from "./dom.js";
import { ratioBar } from "./grid.js";
import { paint, sheetUrl } from "./sheets.js";

const OTHERS = 12;

export class Detail {
  constructor(node, page) {
    this.node = node;
    this.page = page;
  }

  show(samples, seed, film) {
    this.node.hidden = !samples;
    if (!samples) return;
    refill(this.node, seed === null ? this.summary() : this.sample(samples, seed, film));
  }

  sample(samples, seed, film) {
    const [first, second] = samples.neighbours[seed];
    const copy = samples.is_copy[seed];
    const verdict = copy ? h("span", { class: "tau-copied" }, `Copy of training ${noun(samples)} ${first}`) : h("span", { class: "tau-quiet" }, "Not a copy");
    const close = h("button", { type: "button", class: "tau-close", "aria-label": "Close, key Esc", "data-focus": "close", on: { click: () => this.page.close() } }, "×");
    return h(
      "section",
      { class: "tau-card tau-enlarged", "aria-label": `Seed ${seed} at τ ${steps(samples.step)}` },
      h("div", { class: "tau-pair-head" }, h("b", {}, `Seed ${seed}`), verdict, close),
      h("div", { class: "tau-big-pair" }, ...this.pictures(samples, seed, copy)),
      h("div", { class: "tau-scale" }, ratioBar(samples.gap_ratio[seed], samples.gap_threshold, copy), scaleWords(samples.gap_threshold)),
      facts(samples, seed, film, first, second),
      this.others(samples, seed, first),
      h("p", { class: "tau-notes" }, notes(samples)),
    );
  }

  pictures(samples, seed, copy) {
    const [, height, width] = samples.image_shape;
    const [first, second] = samples.neighbours[seed];
    const scale = Math.max(1, Math.floor(120 / width));
    const small = Math.max(1, Math.floor(46 / width));
    const [near, other] = samples.neighbour_labels?.[seed] ?? [];
    const known = { generated: samples.labels?.[seed], nearest: near, second: other };
    const labelled = Object.values(known).some((label) => label !== undefined);
    const figure = (of, words, times, framed) => {
      const said = known[of] === undefined ? "" : `${of === "generated" ? "asked for " : ""}label ${known[of]}`;
      const what = of === "generated" ? `Generated ${noun(samples)}, seed ${seed}` : `${words} training ${noun(samples)}, number ${of === "nearest" ? first : second}`;
      const label = said ? `${what}, ${said}` : what;
      const size = { width: `${width * times}px`, height: `${height * times}px` };
      const canvas = h("canvas", { class: `tau-pixels${framed ? " tau-copy" : ""}`, role: "img", "aria-label": label, style: size });
      paint(canvas, sheetUrl(samples.run_id, samples.step, samples.version, of, [seed]), 0, samples.image_shape);
      return h("figure", {}, canvas, h("figcaption", {}, words, labelled && h("span", { class: "tau-quiet" }, said || "\u00a0")));
    };
    return [figure("generated", "Generated", scale, copy), figure("nearest", "Nearest", scale, false), figure("second", "Second", small, false)];
  }

  // Other copies of the same training image, as small pictures that lead to them.
  others(samples, seed, first) {
    const found = copiesOf(samples, first).filter((also) => also !== seed);
    const other = samples.is_copy[seed] ? "other " : "";
    if (!found.length) return h("p", { class: "tau-label" }, `No ${other}sample copies ${noun(samples)} ${first}.`);
    const shown = found.slice(0, OTHERS);
    const url = sheetUrl(samples.run_id, samples.step, samples.version, "generated", shown);
    const pictures = shown.map((also, place) => {
      const canvas = thumbnail(samples, url, place);
      const label = `seed ${also}, gap ratio ${samples.gap_ratio[also].toFixed(2)}, copy`;
      return h("button", { type: "button", class: "tau-other", "aria-label": label, "data-focus": `other-${also}`, on: { click: () => this.page.select(also, false) } }, canvas);
    });
    const words = `${found.length.toLocaleString("en")} ${other}${found.length === 1 ? "sample copies" : "samples copy"} ${noun(samples)} ${first}`;
    const all = h("button", { type: "button", class: "tau-link-button", "data-focus": "all-of-image", on: { click: () => this.page.filterImage(first) } }, `Show all near ${noun(samples)} ${first}`);
    return h("div", { class: "tau-others" }, h("div", { class: "tau-label" }, words), h("div", { class: "tau-other-row" }, ...pictures), all);
  }

  summary() {
    return h("section", { class: "tau-card tau-enlarged" }, h("b", {}, "No sample is enlarged"), h("p", { class: "tau-notes" }, "Click a card, or press Enter on it, to enlarge it."));
  }
}

function thumbnail(samples, url, place) {
  const [, height, width] = samples.image_shape;
  const wide = width <= 32 ? Math.floor(32 / width) * width : 32;
  const canvas = h("canvas", { class: "tau-pixels", "aria-hidden": "true", style: { width: `${wide}px`, height: `${Math.round((wide * height) / width)}px` } });
  paint(canvas, url, place, samples.image_shape);
  return canvas;
}

function facts(samples, seed, film, first, second) {
  const [d1, d2] = samples.distances[seed];
  const since = film?.seed === seed ? film.first_copied_at : undefined;
  const count = copiesOf(samples, first).length;
  const rows = [
    [h("span", {}, "Gap ratio ", sub("d", 1), "/", sub("d", 2)), h("b", {}, samples.gap_ratio[seed].toFixed(3))],
    [h("span", {}, sub("d", 1), ` to ${noun(samples)} ${first}`), number(d1)],
    [h("span", {}, sub("d", 2), ` to ${noun(samples)} ${second}`), number(d2)],
    ["First copied at", since === undefined ? "…" : since === null ? "not so far" : `τ = ${steps(since)}`],
    [`Samples copying ${noun(samples)} ${first}`, `${count.toLocaleString("en")} of ${samples.n_generated.toLocaleString("en")}`],
  ];
  return h("dl", { class: "tau-facts" }, ...rows.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
}

function notes(samples) {
  if (!samples.window_channels) return "Distances are Euclidean, pixels in [0, 1]. A copy is nearer to one training image than 1/3 of its distance to the second.";
  const named = samples.window_channels.length ? `${samples.window_channels.join(", ")} from the top` : "in the order of the file";
  const strips = `A strip a channel (${named}), its mean the faint line.`;
  return `${strips} Distances are Euclidean, standard units. A copy is nearer to one training window than 1/3 of its distance to the nearest that shares no step of time with it.`;
}

function scaleWords(threshold) {
  const third = h("span", { class: "tau-copied tau-third", style: { left: `${100 * threshold}%` } }, "1/3");
  return h("div", { class: "tau-scale-words" }, h("span", {}, "0"), third, h("span", {}, "1"));
}

function copiesOf(samples, image) {
  return samples.neighbours.flatMap(([first], seed) => (first === image && samples.is_copy[seed] ? [seed] : []));
}
