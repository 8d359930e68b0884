// HTML made in Python, with buttons that choose, ask or copy and links that go.

import { patch, onNavigate } from "./shell.js";

export function mount(root, data, send) {
  patch(root.querySelector('[data-region="body"]'), data.html);
  root.dataset.ready = "yes";
  root.tauSend = send;
  if (root.tauCards) return;
  root.tauCards = true;
  onNavigate(root, (name, value) => root.tauSend(name, value));
  root.addEventListener("click", (event) => {
    const button = event.target.closest("[data-choose]");
    if (button) root.tauSend("choose", button.dataset.choose);
    const asked = event.target.closest("[data-action]");
    if (asked) root.tauSend(asked.dataset.action, true);
    const copied = event.target.closest("[data-copy]");
    if (copied) copy(copied.dataset.copy).then((done) => tell(root, done ? "Copied" : "The browser refused: select the text in the YAML view"));
  });
}

function tell(root, words) {
  const status = root.querySelector("[role=status]");
  status.textContent = words;
  clearTimeout(root.tauTold);
  root.tauTold = setTimeout(() => (status.textContent = ""), 4000);
}

// The clipboard is there on https and loopback only; elsewhere a selection is copied.
async function copy(text) {
  if (navigator.clipboard) {
    const done = await navigator.clipboard.writeText(text).then(() => true, () => false);
    if (done) return true;
  }
  const field = document.createElement("textarea");
  field.value = text;
  field.style.position = "fixed";
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  return done;
}
