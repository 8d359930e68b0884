// HTML made in Python, with buttons that choose and links that go.

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
  });
}
