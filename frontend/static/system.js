// The state of the service, asked for every five seconds while somebody looks.

import { Polling } from "./polling.js";
import { fetchJson, onNavigate, patch, showSlots } from "./shell.js";

const POLL_MS = 5000;

export function mount(root, data, send) {
  const page = root.tauSystem ?? (root.tauSystem = new System(root));
  const call = (page.calls = (page.calls ?? 0) + 1);
  page.send = send;
  // Streamlit also cleans up after a call that a newer one overtook; only the newest may close.
  return () => page.calls === call && page.close();
}

class System {
  constructor(root) {
    this.root = root;
    this.regions = Object.fromEntries([...root.querySelectorAll("[data-region]")].map((node) => [node.dataset.region, node]));
    onNavigate(root, (name, value) => this.send(name, value));
    this.polling = new Polling(() => this.refresh(), POLL_MS);
    this.polling.now();
  }

  close() {
    this.polling.close();
    this.closed = true;
    delete this.root.tauSystem;
  }

  async refresh() {
    const view = await fetchJson("/view/system", this.regions.notice);
    for (const [name, html] of Object.entries(view?.regions ?? {})) patch(this.regions[name], html);
    if (view) showSlots(view.slots);
    this.root.dataset.ready = "yes";
    return !this.closed;
  }
}
