// The compare page: one figure of several experiments, described anew by the server with its numbers while any of them goes on.

import { keepHover } from "./pointer.js";
import { CHART_CONFIG, ensurePlotly, fetchJson, patch, showSlots, themeName, onThemeChange, onNavigate } from "./shell.js";
import { takeFigure } from "./takeaway.js";

const MIN_INTERVAL_MS = 1500;
const QUIET_REFRESH_MS = 6000;
// A browser holds six connections to one origin, and the page needs some of them to fetch; what has no stream of its own is asked for quietly.
const MOST_STREAMS = 3;

export function mount(root, data, send) {
  const compare = root.tauCompare ?? (root.tauCompare = new Compare(root));
  const call = (compare.calls = (compare.calls ?? 0) + 1);
  compare.send = send;
  compare.show(data);
  // Streamlit also cleans up after a call that a newer one overtook; only the newest may close.
  return () => compare.calls === call && compare.close();
}

class Compare {
  constructor(root) {
    this.root = root;
    this.streams = new Map();
    this.regions = Object.fromEntries([...root.querySelectorAll("[data-region]")].map((node) => [node.dataset.region, node]));
    this.chart = this.regions.chart;
    this.stopTheme = onThemeChange(() => this.refresh());
    onNavigate(root, (name, value) => this.send(name, value));
    this.onClick = (event) => this.act(event);
    root.addEventListener("click", this.onClick);
    this.regions.numbers.addEventListener("toggle", () => this.refresh());
    this.hover = keepHover(this.chart);
    this.quiet = setInterval(() => this.live?.length && !document.hidden && this.refresh(), QUIET_REFRESH_MS);
    this.resize = new ResizeObserver(() => this.width && this.chart.clientWidth > 0 && this.chart.clientWidth !== this.width && this.refresh());
    this.resize.observe(this.chart);
  }

  close() {
    for (const stream of this.streams.values()) stream.close();
    clearTimeout(this.timer);
    clearInterval(this.quiet);
    this.stopTheme();
    this.resize.disconnect();
    this.root.removeEventListener("click", this.onClick);
    delete this.root.tauCompare;
  }

  show(data) {
    this.data = data;
    return this.refresh();
  }

  act(event) {
    const button = event.target.closest("[data-take],[data-drop],[data-line]");
    if (!button) return;
    const { take, drop, line } = button.dataset;
    if (drop !== undefined) this.send("drop", drop);
    if (line !== undefined) this.send("focus", line);
    if (take !== undefined) this.take(button.dataset);
  }

  async take({ take: form, print, file }) {
    const view = await fetchJson(this.url({ print, tables: null, ...(print ? { theme: "light" } : {}) }), this.regions.notice);
    if (view?.figure) await takeFigure(view.figure, { form, file: file ?? `${view.stem}.${form}`, print, width: this.chart.clientWidth });
  }

  url(more = {}) {
    const numbers = this.regions.numbers.open ? "1" : null;
    const screen = { theme: themeName(), viewport: window.innerHeight, width: this.chart.clientWidth, tables: numbers };
    const given = { ...this.data.query, ...this.data.options, ...screen, ...more };
    const chosen = Object.entries(given).filter(([, value]) => value !== null && value !== undefined && value !== "");
    return `/view/compare?${new URLSearchParams(Object.fromEntries(chosen))}`;
  }

  async refresh() {
    this.last = performance.now();
    const url = this.url();
    this.asked = url;
    const view = await fetchJson(url, this.regions.notice);
    if (this.asked !== url) return; // Another choice was made meanwhile, and is on its way.
    if (view === null) return void this.refreshSoon(3000);
    this.live = view.live;
    showSlots(view.slots);
    for (const name of ["chosen", "finding", "notices", "keys", "tables"]) patch(this.regions[name], view[name] ?? "");
    if (view.numbers) patch(this.regions.numbers.lastElementChild, view.numbers);
    if (view.figure) await this.draw(view);
    this.listen(view);
    this.root.dataset.ready = "yes";
  }

  async draw({ figure: { data, layout }, alt }) {
    const Plotly = await ensurePlotly();
    // Drawing under a hand that drags would let go of what it holds.
    if (this.chart._dragging) return void this.refreshSoon(300);
    this.chart.setAttribute("aria-label", alt);
    this.chart.style.minHeight = `${layout.height}px`;
    this.width = this.chart.clientWidth;
    await Plotly.react(this.chart, data, { ...layout, width: this.width }, CHART_CONFIG);
    this.hover.restore();
  }

  // One stream for each of the first experiments that go on; one that is over, or was taken out, is let go.
  listen({ live, cursors }) {
    const wanted = live.slice(0, MOST_STREAMS);
    for (const [id, stream] of this.streams) {
      if (wanted.includes(id) && stream.readyState !== EventSource.CLOSED) continue;
      stream.close();
      this.streams.delete(id);
    }
    for (const id of wanted) if (!this.streams.has(id)) this.streams.set(id, this.follow(id, cursors[id]));
    if (!live.length) this.tell("");
  }

  follow(id, cursor) {
    const stream = new EventSource(`/api/v1/experiments/${encodeURIComponent(id)}/events?cursor=${encodeURIComponent(cursor)}`);
    for (const name of ["points", "run", "rewind", "experiment"]) stream.addEventListener(name, () => this.refreshSoon(MIN_INTERVAL_MS));
    stream.addEventListener("open", () => this.tell(""));
    stream.addEventListener("error", () => this.tell(`Live connection lost at ${new Date().toLocaleTimeString("en-GB")}. It is tried again by itself; what you see is from then.`));
    return stream;
  }

  tell(words) {
    this.regions.stream.hidden = !words;
    if (this.regions.stream.textContent !== words) this.regions.stream.textContent = words;
  }

  refreshSoon(interval) {
    if (this.timer) return;
    this.timer = setTimeout(() => {
      this.timer = null;
      // Nobody sees a page in the background; it is described anew when it comes to the front.
      if (document.hidden) document.addEventListener("visibilitychange", () => this.refreshSoon(0), { once: true });
      else this.refresh();
    }, Math.max(200, interval - (performance.now() - this.last)));
  }
}
