// The page of a run: its regions come with the page, and are asked for again while anything of it may still change.
// They stand above and below of what may be asked of the run; the part above asks for both.

import { Polling } from "./polling.js";
import { fetchJson, onNavigate, patch, showSlots } from "./shell.js";

const POLL_MS = 3000;

export function mount(root, data, send) {
  const page = root.tauRun ?? (root.tauRun = new Run(root));
  const call = (page.calls = (page.calls ?? 0) + 1);
  page.send = send;
  page.show(data);
  // Streamlit also cleans up after a call that a newer one overtook; only the newest may close.
  return () => page.calls === call && page.close();
}

class Run {
  constructor(root) {
    this.root = root;
    this.notice = root.querySelector("[data-region=notice]");
    this.polling = new Polling(() => this.refresh(), POLL_MS);
    onNavigate(root, (name, value) => this.send(name, value));
    root.addEventListener("click", (event) => {
      const asked = event.target.closest("[data-action]");
      if (asked) this.send(asked.dataset.action, true);
    });
  }

  close() {
    this.polling.close();
    this.closed = true;
    delete this.root.tauRun;
  }

  show({ address, shown }) {
    this.address = address;
    this.put(shown);
    this.root.dataset.ready = "yes";
    if (shown.live && this.notice) this.polling.after();
  }

  put({ regions, offers }) {
    this.offers = offers;
    for (const node of document.querySelectorAll(".tau-run [data-region]")) {
      if (node.dataset.region in regions) patch(node, regions[node.dataset.region]);
    }
  }

  async refresh() {
    const from = this.address;
    const shown = await fetchJson(from, this.notice);
    if (this.closed || from !== this.address) return false;
    if (shown === null) return true;
    const other = shown.offers !== this.offers;
    this.put(shown);
    showSlots(shown.slots);
    // What may be asked of the run stands outside of here, and Streamlit draws it anew.
    if (other) this.send("changed", shown.offers);
    return shown.live;
  }
}
