// A page of an experiment that the server describes anew as runs go on: its life, its address, its stream, what is taken away.

import { ensurePlotly, fetchJson, themeName, onThemeChange, onNavigate, onTalkKey } from "./shell.js";
import { takeFigure } from "./takeaway.js";

const MIN_INTERVAL_MS = 1500;

// One page per element; Streamlit calls again with every change of data.
export function mountPage(root, Page, data, send) {
  const page = root.tauPage ?? (root.tauPage = new Page(root));
  const call = (page.calls = (page.calls ?? 0) + 1);
  page.send = send;
  page.show(data);
  // Streamlit also cleans up after a call that a newer one overtook; only the newest may close.
  return () => page.calls === call && page.close();
}

export class DescribedPage {
  // `view` is the name of the description's address, `sized` the chart whose width it is made for.
  constructor(root, view, sized) {
    Object.assign(this, { root, view, sized });
    this.regions = Object.fromEntries([...root.querySelectorAll("[data-region]")].map((node) => [node.dataset.region, node]));
    this.charts = Object.fromEntries([...root.querySelectorAll("[data-chart]")].map((node) => [node.dataset.chart, node]));
    this.stopTheme = onThemeChange(() => this.refresh());
    this.stopTalk = onTalkKey(() => this.send("talk", this.data.options.talk ? "" : "1"));
    onNavigate(root, (name, value) => this.send(name, value));
    root.addEventListener("click", (event) => this.act(event));
    this.resize = new ResizeObserver(() => this.width && this.charts[sized].clientWidth !== this.width && this.refresh());
    this.resize.observe(this.charts[sized]);
  }

  close() {
    this.stream?.close();
    clearTimeout(this.timer);
    this.stopTheme();
    this.stopTalk();
    this.resize.disconnect();
    delete this.root.tauPage;
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
    const described = await fetchJson(this.url({ print, ...(print ? { theme: "light", talk: null } : {}) }), this.regions.notice);
    if (described !== null) await takeFigure(described.figures[part], { form, file, print, width: this.charts[part].clientWidth });
  }

  url(more = {}) {
    const given = { ...this.data.options, theme: themeName(), viewport: window.innerHeight, width: this.charts[this.sized].clientWidth, ...more };
    const chosen = Object.entries(given).filter(([, value]) => value !== null && value !== undefined && value !== "");
    return `/view/${this.view}/${encodeURIComponent(this.data.id)}?${new URLSearchParams(Object.fromEntries(chosen))}`;
  }

  async refresh() {
    this.last = performance.now();
    const described = await fetchJson(this.url(), this.regions.notice);
    if (described === null) {
      this.refreshSoon(3000);
      return;
    }
    await this.put(described);
    if (described.live) this.listen(described.cursor);
    else this.stream?.close();
    this.root.dataset.ready = "yes";
  }

  async draw(name, { figures, alt }, config) {
    const Plotly = await ensurePlotly();
    const { data, layout } = structuredClone(figures[name]);
    const chart = this.charts[name];
    chart.setAttribute("aria-label", alt[name]);
    chart.style.minHeight = `${layout.height}px`;
    this.width = this.charts[this.sized].clientWidth;
    await Plotly.react(chart, data, { ...layout, width: chart.clientWidth }, config);
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
