// The list of experiments: its rows are made by the server and fetched again while anything is live.

import { fetchJson, patch, showSlots, themeName, onThemeChange, onNavigate } from "./shell.js";

const LIVE_MS = 3000;
const IDLE_MS = 15000;

export function mount(root, data, send) {
  const list = root.tauList ?? (root.tauList = new List(root, send));
  const call = (list.calls = (list.calls ?? 0) + 1);
  list.send = send;
  list.show(data);
  // Streamlit also cleans up after a call that a newer one overtook; only the newest may close.
  return () => list.calls === call && list.close();
}

class List {
  constructor(root, send) {
    this.root = root;
    this.rows = root.querySelector('[data-region="rows"]');
    this.notice = root.querySelector('[data-region="notice"]');
    this.stopTheme = onThemeChange(() => this.refresh());
    onNavigate(root, (name, value) => this.send(name, value));
    this.onClick = (event) => this.click(event);
    root.addEventListener("click", this.onClick);
  }

  click(event) {
    const button = event.target.closest("[data-manage],[data-more]");
    if (!button) return;
    if (button.dataset.manage) this.send("manage", button.dataset.manage);
    else this.send("more", String(Date.now()));
  }

  close() {
    clearTimeout(this.timer);
    this.stopTheme();
    this.root.removeEventListener("click", this.onClick);
    delete this.root.tauList;
  }

  show(data) {
    this.data = data;
    return this.refresh();
  }

  async refresh() {
    clearTimeout(this.timer);
    const query = new URLSearchParams({ ...this.data, theme: themeName() });
    const view = document.hidden ? null : await fetchJson(`/view/experiments?${query}`, this.notice);
    if (view) {
      patch(this.rows, view.rows);
      showSlots(view.slots);
    }
    this.root.dataset.ready = "yes";
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.refresh(), view?.live ? LIVE_MS : IDLE_MS);
  }
}
