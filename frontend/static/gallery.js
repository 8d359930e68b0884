// The gallery: the slider, the frames and the cards choose; everything shown is made by the server.

import { patch, onNavigate } from "./shell.js";

export function mount(root, data, send) {
  const body = root.querySelector('[data-region="body"]');
  patch(body, data.html);
  root.dataset.ready = "yes";
  root.tauSend = send;
  const first = !root.tauGallery;
  root.tauGallery = true;
  if (first) listen(root);
  const call = (root.tauCalls = (root.tauCalls ?? 0) + 1);
  // Streamlit also cleans up after a call that a newer one overtook; only the newest may stop listening.
  return () => root.tauCalls === call && document.removeEventListener("keydown", root.tauKeys);
}

function listen(root) {
  onNavigate(root, (name, value) => root.tauSend(name, value));
  root.addEventListener("click", (event) => {
    const button = event.target.closest("[data-step],[data-seed],[data-more],[data-action]");
    if (!button) return;
    for (const name of ["step", "seed", "more"]) if (button.dataset[name] !== undefined) root.tauSend(name, Number(button.dataset[name]));
    if (button.dataset.action !== undefined) root.tauSend(button.dataset.action, true);
  });
  root.addEventListener("change", (event) => {
    if (event.target.matches(".tau-slider")) root.tauSend("step", stepsOf(event.target)[Number(event.target.value)]);
  });
  root.tauKeys = (event) => key(root, event);
  document.addEventListener("keydown", root.tauKeys);
}

function stepsOf(slider) {
  return slider.dataset.steps.split(",").map(Number);
}

function key(root, event) {
  if (event.altKey || event.ctrlKey || event.metaKey || event.target.closest("input,textarea,[contenteditable]")) return;
  const slider = root.querySelector(".tau-slider");
  const move = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (slider && move) {
    const steps = stepsOf(slider);
    const at = Math.min(steps.length - 1, Math.max(0, Number(slider.value) + move));
    event.preventDefault();
    return root.tauSend("step", steps[at]);
  }
  const along = { j: 1, k: -1 }[event.key.toLowerCase()];
  if (along) {
    const cards = [...root.querySelectorAll("[data-seed]")];
    const next = cards[cards.findIndex((card) => card.getAttribute("aria-pressed") === "true") + along];
    if (next) {
      next.scrollIntoView({ block: "nearest" });
      root.tauSend("seed", Number(next.dataset.seed));
    }
  }
  if (event.key.toLowerCase() === "c") root.tauSend("copies", true);
}
