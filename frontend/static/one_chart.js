// A page of one chart between regions of HTML, all described anew by the server as runs go on.

import { ensurePlotly, fetchJson, patch, showSlots, themeName, onThemeChange, onNavigate, onTalkKey } from "./shell.js";
import { takeFigure } from "./takeaway.js";

const MIN_INTERVAL_MS = 1500;
const CONFIG = { displaylogo: false, responsive: false, displayModeBar: "hover", modeBarButtons: [["zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "resetScale2d"]] };

// One instance of a page's class lives as long as its element; each call brings it new data.
export function mountOne(Page, root, data, send) {
  const page = root.tauOneChart ?? (root.tauOneChart = new Page(root));
  const call = (page.calls = (page.calls ?? 0) + 1);
  page.send = send;
  page.show(data);
  // Streamlit also cleans up after a call that a newer one overtook; only the newest may close.
  return () => page.calls === call && page.close();
}

export class OneChart {
  constructor(root, view) {
    this.root = root;
    this.view = view;
    this.regions = Object.fromEntries([...root.querySelectorAll("[data-region]")].map((node) => [node.dataset.region, node]));
    this.chart = root.querySelector("[data-chart]");
    this.stopTheme = onThemeChange(() => this.refresh());
    this.stopTalk = onTalkKey(() => this.send("talk", this.data.options.talk ? "" : "1"));
    onNavigate(root, (name, value) => this.send(name, value));
    root.addEventListener("click", (event) => this.act(event));
    this.resize = new ResizeObserver(() => this.width && this.chart.clientWidth !== this.width && this.refresh());
    this.resize.observe(this.chart);
  }

  close() {
    this.stream?.close();
    clearTimeout(this.timer);
    this.stopTheme();
    this.stopTalk();
    this.resize.disconnect();
    delete this.root.tauOneChart;
  }

  show(data) {
    if (this.data && this.data.id !== data.id) this.stream?.close();
    this.data = data;
    this.root.classList.toggle("tau-talk", Boolean(data.options.talk));
    return this.refresh();
  }

  act(event) {
    const button = event.target.closest("[data-action],[data-take]");
    if (!button) return;
    const { action, take } = button.dataset;
    if (action !== undefined) this.send(action, true);
    if (take !== undefined) this.take(button.dataset);
  }

  async take({ take: form, part, print, file }) {
    const view = await fetchJson(this.url({ print, ...(print ? { theme: "light", talk: null } : {}) }), this.regions.notice);
    if (view !== null) await takeFigure(view.figures[part], { form, file, print, width: this.chart.clientWidth });
  }

  url(more = {}) {
    const given = { ...this.data.options, theme: themeName(), viewport: window.innerHeight, width: this.chart.clientWidth, ...more };
    const chosen = Object.entries(given).filter(([, value]) => value !== null && value !== undefined && value !== "");
    return `/view/${this.view}/${encodeURIComponent(this.data.id)}?${new URLSearchParams(Object.fromEntries(chosen))}`;
  }

  async refresh() {
    this.last = performance.now();
    const view = await fetchJson(this.url(), this.regions.notice);
    if (view === null) {
      this.refreshSoon(3000);
      return;
    }
    showSlots(view.slots);
    for (const [name, region] of Object.entries(this.regions)) if (view[name] !== undefined) patch(region, view[name]);
    await this.draw(view);
    if (view.live) this.listen(view.cursor);
    else this.stream?.close();
    this.root.dataset.ready = "yes";
  }

  async draw(view) {
    const Plotly = await ensurePlotly();
    const { data, layout } = view.figures[this.view];
    this.chart.setAttribute("aria-label", view.alt[this.view]);
    this.chart.style.minHeight = `${layout.height}px`;
    this.width = this.chart.clientWidth;
    await Plotly.react(this.chart, data, { ...layout, width: this.width }, CONFIG);
  }

  listen(cursor) {
    if (this.stream && this.stream.readyState !== EventSource.CLOSED) return;
    this.stream = new EventSource(`/api/v1/experiments/${encodeURIComponent(this.data.id)}/events?cursor=${encodeURIComponent(cursor)}`);
    for (const name of ["points", "run", "rewind", "experiment"]) this.stream.addEventListener(name, () => this.refreshSoon(MIN_INTERVAL_MS));
  }

  refreshSoon(interval) {
    if (this.timer) return;
    this.timer = setTimeout(() => {
      this.timer = null;
      this.refresh();
    }, Math.max(200, interval - (performance.now() - this.last)));
  }
}
