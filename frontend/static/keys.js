// The keys that hold on every page: a slash finds, a question mark lists all keys.

import { h } from "./dom.js";

const KEYS = [
  ["Everywhere", [["/", "find an experiment"], ["?", "these keys"], ["Esc", "close"]]],
  ["Watch and Law", [["T", "talk mode: the charts alone, larger"]]],
  ["Inspect", [["← →", "checkpoint before, after"], ["J K", "sample after, before"], ["C", "copies only"], ["Enter", "enlarge"], ["Esc", "close what is enlarged"]]],
  ["Launch", [["Ctrl Enter", "launch"]]],
];
const WORDS = [
  ["τ", "training time, in optimizer steps"],
  ["τ_gen", "when samples become good enough: the quality reaches its level"],
  ["τ_mem", "when copying sets in: the memorized share reaches its level"],
  ["window", "between the two: trained enough, and not yet copying"],
  ["f_mem", "share of generated samples whose nearest training point is under a third as far as the second nearest"],
  ["control", "the same share among real points that were held out: what looks like copying by chance"],
  ["n", "number of training points: images, windows of a series, draws of a mixture"],
];
const PATIENCE_MS = 5000;

document.addEventListener("keydown", (event) => {
  const act = { "/": find, "?": showKeys }[event.key];
  if (!act || event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.("input,textarea,select,[contenteditable=true]")) return;
  event.preventDefault();
  act();
});

document.addEventListener("click", (event) => event.target.closest?.("[data-keys]") && showKeys());

// The search stands on the list of experiments; from elsewhere its link leads there within this session.
async function find() {
  if (!search()) [...document.querySelectorAll("[data-testid=stTopNavLink]")].find((link) => link.href.endsWith("/experiments"))?.click();
  for (const end = performance.now() + PATIENCE_MS; !search() && performance.now() < end; ) await new Promise(requestAnimationFrame);
  search()?.focus();
  search()?.select();
}

const search = () => document.querySelector(".st-key-q input");

function showKeys() {
  if (document.querySelector(".tau-keys-dialog")) return;
  const groups = KEYS.map(([title, keys]) => h("section", {}, h("h3", {}, title), h("dl", {}, ...keys.flatMap(entry))));
  const words = h("section", {}, h("h3", {}, "Words"), h("dl", {}, ...WORDS.flatMap(([word, meaning]) => [h("dt", {}, word), h("dd", {}, meaning)])));
  const close = h("button", { type: "submit", class: "tau-button" }, "Close");
  const dialog = h("dialog", { class: "tau-root tau-keys-dialog", "aria-label": "Keys and words" }, h("h2", {}, "Keys and words"), ...groups, words, h("form", { method: "dialog" }, close));
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  // The pages' own keys rest while the list is open.
  dialog.addEventListener("keydown", (event) => event.stopPropagation());
  document.body.append(dialog);
  dialog.showModal();
}

function entry([keys, words]) {
  return [h("dt", {}, ...keys.split(" ").map((key) => h("kbd", {}, key))), h("dd", {}, words)];
}
