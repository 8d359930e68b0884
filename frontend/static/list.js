// The list of experiments: its rows are made by the server and fetched again while anything is live.

import { h } from "./dom.js";
import { rowsAddress } from "./early.js";
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
    this.onChange = (event) => event.target.dataset.pick && this.pick(event.target.dataset.pick, event.target.checked);
    root.addEventListener("change", this.onChange);
  }

  get picked() {
    return (this.data.pick ?? "").split(",").filter(Boolean);
  }

  // What is chosen for a comparison stands in the address, so that a search or a reload keeps it.
  pick(id, chosen) {
    const others = this.picked.filter((known) => known !== id);
    this.data = { ...this.data, pick: [...others, ...(chosen ? [id] : [])].join(",") };
    this.showPicked();
    this.send("pick", this.data.pick);
  }

  showPicked() {
    const { picked } = this;
    for (const box of this.rows.querySelectorAll("[data-pick]")) box.checked = picked.includes(box.dataset.pick);
    const bar = this.root.querySelector('[data-region="picked"]');
    const address = `/compare?${new URLSearchParams({ experiments: picked.join(",") })}`;
    const link = h("a", { href: address, class: "tau-button tau-primary", "data-go": address }, "Compare");
    const clear = h("button", { type: "button", class: "tau-button", on: { click: () => this.clear() } }, "Clear");
    bar.replaceChildren(h("span", {}, `${picked.length} chosen`), link, clear);
    bar.hidden = !picked.length;
  }

  clear() {
    this.data = { ...this.data, pick: "" };
    this.showPicked();
    this.send("pick", "");
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
    this.root.removeEventListener("change", this.onChange);
    delete this.root.tauList;
  }

  show(data) {
    this.data = data;
    return this.refresh();
  }

  async refresh() {
    clearTimeout(this.timer);
    const asked = rowsAddress(new URLSearchParams(this.data), themeName());
    const view = document.hidden ? null : await fetchJson(asked, this.notice);
    if (view) {
      patch(this.rows, view.rows);
      this.showPicked();
      showSlots(view.slots);
    }
    this.root.dataset.ready = "yes";
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.refresh(), view?.live ? LIVE_MS : IDLE_MS);
  }
}
