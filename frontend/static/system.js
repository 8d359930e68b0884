// The state of the service, asked for every five seconds while somebody looks.

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
    this.onVisible = () => document.hidden || this.refresh();
    document.addEventListener("visibilitychange", this.onVisible);
    onNavigate(root, (name, value) => this.send(name, value));
    this.refresh();
  }

  close() {
    clearTimeout(this.timer);
    document.removeEventListener("visibilitychange", this.onVisible);
    delete this.root.tauSystem;
  }

  async refresh() {
    clearTimeout(this.timer);
    // Never oftener than the interval, however often the page is hidden and shown.
    const wait = this.asked === undefined ? 0 : POLL_MS - (performance.now() - this.asked);
    if (wait <= 0 && !document.hidden) {
      this.asked = performance.now();
      const view = await fetchJson("/view/system", this.regions.notice);
      for (const [name, html] of Object.entries(view?.regions ?? {})) patch(this.regions[name], html);
      if (view) showSlots(view.slots);
      this.root.dataset.ready = "yes";
    }
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.refresh(), wait > 0 ? wait : POLL_MS);
  }
}
