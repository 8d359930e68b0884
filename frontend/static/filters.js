// Which samples are shown, and in what order.

import { h, noun, segments } from "./dom.js";

const MANY_RUNS = 5;
const SORTS = [
  ["seed", "By seed"],
  ["ratio", "By gap ratio"],
  ["distance", "By distance"],
];

// The seeds that pass the filters, in order.
export function orderOf(samples, { show, sort, image, train }) {
  const wanted = { copies: true, originals: false }[show];
  const seeds = [];
  for (let seed = 0; seed < samples.n_generated; seed += 1) {
    if (wanted !== undefined && samples.is_copy[seed] !== wanted) continue;
    if (train !== null && !(samples.is_copy[seed] && samples.neighbours[seed][0] === train)) continue;
    if (image === null || samples.neighbours[seed][0] === image) seeds.push(seed);
  }
  const value = { ratio: (seed) => samples.gap_ratio[seed], distance: (seed) => samples.distances[seed][0] }[sort];
  return value ? seeds.sort((a, b) => value(a) - value(b) || a - b) : seeds;
}

export function filterBar(samples, { show, sort, image, train }, go) {
  const total = samples?.n_generated;
  const count = (value) => (total === undefined ? "" : ` ${value.toLocaleString("en")}`);
  const shows = [
    ["all", `All${count(total)}`],
    ["copies", `Copies${count(samples?.n_copies)}`],
    ["originals", `Not copies${count(total - samples?.n_copies)}`],
  ];
  const chip = (name, words) =>
    h("button", { type: "button", class: "tau-button tau-chip", "data-focus": `clear-${name}`, on: { click: () => go({ [name]: null }) } }, `${words} `, h("span", { "aria-label": "remove" }, "×"));
  return [
    train !== null && chip("train", `copies of training ${noun(samples)} ${train}`),
    image !== null && chip("image", `near training ${noun(samples)} ${image}`),
    segments("Show", shows, show, (value) => go({ show: value === "all" ? null : value })),
    segments("Order", SORTS, sort, (value) => go({ sort: value === "seed" ? null : value })),
  ];
}

// The address holds everything that is seen. Browsers offer their clipboard to https and this machine's own pages alone.
export function copyLink() {
  if (!navigator.clipboard) return null;
  const button = h("button", { type: "button", class: "tau-button", "data-focus": "copy-link" }, "Copy link");
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(window.location.href).then(
      () => (button.textContent = "Link copied"),
      () => (button.textContent = "Copy the address bar"),
    );
  });
  return button;
}

// Buttons for a few runs, a list for many.
export function runSwitch(runs, current, choose) {
  if (runs.length < 2) return null;
  if (runs.length <= MANY_RUNS) return segments("Run", runs.map(({ id, name }) => [id, name]), current, choose);
  const options = runs.map(({ id, name }) => h("option", { value: id, selected: id === current }, name));
  return h("select", { class: "tau-select", "aria-label": "Run", "data-focus": "run", on: { change: (event) => choose(event.target.value) } }, ...options);
}
