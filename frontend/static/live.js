// The watch page in the browser: one event stream, the curves it appends to, and a figure described by the server.
//
// The server describes the figure without curve data (/view/experiments/{id}); a trace that shows a curve names the
// series it is bound to. Points that arrive are appended to the series at once; anything else that changes (onsets,
// states, texts) is described anew by the server, at most once a second. Zoom, hover and scroll survive both.

import { addPoints, dropBeyond, fill, longest, withMeans } from "./curves.js";
import { listenToClicks, keepHover } from "./pointer.js";
import { CHART_CONFIG, ensurePlotly, fetchJson, patch, showSlots, themeName, onThemeChange, onNavigate, onTalkKey } from "./shell.js";
import { takeFigure } from "./takeaway.js";
import { Tips } from "./tips.js";

const MIN_INTERVAL_MS = 900;
const QUIET_REFRESH_MS = 12000;
const SETTLED_REFRESH_MS = 8000;
// A figure that takes longer than this to draw is drawn anew when more than its progress has changed, else so seldom that drawing takes
// one part in so many of the time; until then its newest points stand on a canvas over it.
const QUICK_DRAW_MS = 60;
const SLOW_REDRAW_SHARE = 100;

export function mount(root, data, send) {
  const watch = root.tauWatch ?? (root.tauWatch = new Watch(root, send));
  const call = (watch.calls = (watch.calls ?? 0) + 1);
  watch.send = send;
  watch.show(data);
  // Streamlit also cleans up after a call that a newer one overtook; only the newest may close.
  return () => watch.calls === call && watch.close();
}

class Watch {
  constructor(root, send) {
    this.root = root;
    this.send = send;
    this.curves = null;
    this.description = null;
    this.lastView = 0;
    this.drawMs = 0;
    this.timer = null;
    this.regions = Object.fromEntries([...root.querySelectorAll("[data-region]")].map((node) => [node.dataset.region, node]));
    this.chart = this.regions.chart;
    this.stopTheme = onThemeChange(() => this.refreshView());
    this.quiet = setInterval(() => this.live && this.refreshView(), QUIET_REFRESH_MS);
    onNavigate(root, (name, value) => this.send(name, value));
    root.addEventListener("click", (event) => this.act(event));
    this.regions.tables.addEventListener("toggle", () => this.refreshTables());
    this.stopTalk = onTalkKey(() => this.send("talk", this.data.options.talk ? "" : "1"));
    this.hover = keepHover(this.chart);
    this.tips = new Tips(this.chart);
    this.resize = new ResizeObserver(() => this.drawn && this.chart.clientWidth > 0 && this.chart.clientWidth !== this.width && this.refreshView());
    this.resize.observe(this.chart);
  }

  close() {
    this.stream?.close();
    this.stopTheme();
    clearInterval(this.quiet);
    clearTimeout(this.timer);
    clearTimeout(this.retry);
    this.resize.disconnect();
    this.stopTalk();
    delete this.root.tauWatch;
  }

  async show(data) {
    const other = this.data?.id !== data.id;
    const reads = JSON.stringify([data.id, data.metrics]);
    const unread = this.reads !== reads;
    Object.assign(this, { data, reads });
    this.root.classList.toggle("tau-talk", Boolean(data.options.talk));
    if (unread) {
      this.stream?.close();
      this.stream = this.curves = null;
    }
    if (other) patch(this.regions.header, data.header);
    const curves = unread ? this.fetchCurves() : null;
    await this.refreshView();
    if (unread && this.reads === reads) await this.loadCurves(curves);
  }

  act(event) {
    const button = event.target.closest("[data-focus],[data-action],[data-take],[data-seeds]");
    if (!button) return;
    const { focus, action, take, seeds } = button.dataset;
    if (seeds !== undefined) this.send("seeds", seeds);
    if (focus !== undefined) this.send("focus", focus);
    if (action !== undefined) this.send(action, true);
    if (take !== undefined) this.take(button);
  }

  async take(button) {
    const { take: form, part, print, file } = button.dataset;
    const asked = { part, print, ...(print ? { theme: "light" } : {}) };
    const made = await fetchJson(this.url("/figure", asked), this.regions.notice);
    if (made === null || !this.curves) return;
    const data = made.figure.data.map((trace) => fill(trace, withMeans(this.curves, made.figure)));
    await takeFigure({ data, layout: made.figure.layout }, { form, file, print, width: this.width });
  }

  // The address of a view of this experiment, with everything the viewer chose.
  url(path = "", more = {}) {
    const given = { ...this.data.options, theme: themeName(), viewport: window.innerHeight, width: this.chart.clientWidth, ...more };
    const chosen = Object.entries(given).filter(([, value]) => value !== null && value !== undefined && value !== "");
    return `/view/experiments/${encodeURIComponent(this.data.id)}${path}?${new URLSearchParams(Object.fromEntries(chosen))}`;
  }

  fetchCurves() {
    const { id, points, metrics } = this.data;
    const asked = new URLSearchParams({ max_points: points, ...(metrics ? { metrics } : {}) });
    return fetchJson(`/api/v1/experiments/${encodeURIComponent(id)}/curves?${asked}`, this.regions.notice);
  }

  // The curves, once; then the stream goes on from their cursor.
  async loadCurves(begun = this.fetchCurves()) {
    const { reads } = this;
    let curves = await begun;
    // Curves that were asked for before an experiment was over may lack its last points.
    if (curves !== null && this.live === false && curves.cursor !== this.cursor) curves = await this.fetchCurves();
    if (this.reads !== reads) return; // Meanwhile other series were asked for, which come by themselves.
    if (curves === null) {
      clearTimeout(this.retry);
      this.retry = setTimeout(() => this.loadCurves(), 3000);
      return;
    }
    this.curves = curves;
    if (this.live !== false) this.listen(curves.cursor);
    await this.draw();
  }

  // All is over: the last points may still be on their way in the stream, so they are fetched, and it is closed.
  async settle() {
    this.stream.close();
    this.stream = null;
    const curves = await this.fetchCurves();
    if (curves === null) return;
    this.curves = curves;
    await this.draw();
    // The workers report that they are free a little later.
    setTimeout(() => this.refreshView(), SETTLED_REFRESH_MS);
  }

  listen(cursor) {
    this.stream?.close();
    const id = encodeURIComponent(this.data.id);
    const stream = new EventSource(`/api/v1/experiments/${id}/events?cursor=${encodeURIComponent(cursor)}`);
    this.stream = stream;
    stream.addEventListener("points", (event) => this.change(() => addPoints(this.curves, JSON.parse(event.data), this.data.metrics)));
    stream.addEventListener("rewind", (event) => this.change(() => dropBeyond(this.curves, JSON.parse(event.data))));
    for (const name of ["run", "experiment"]) stream.addEventListener(name, () => this.refreshSoon());
    stream.addEventListener("open", () => this.tellStream("open"));
    stream.addEventListener("error", () => {
      this.tellStream("lost");
      // A stream that the browser has given up on is begun again from fresh curves.
      if (stream.readyState === EventSource.CLOSED && this.live) setTimeout(() => this.stream === stream && this.reload(stream), 3000);
    });
  }

  // Since when nothing new can arrive; a stream that is over has nothing to lose.
  tellStream(state) {
    if (state === "open" || !this.live) this.regions.stream.hidden = true;
    else if (this.root.dataset.stream !== "lost") {
      this.regions.stream.textContent = `Live connection lost at ${new Date().toLocaleTimeString("en-GB")}. It is tried again by itself; what you see is from then.`;
      this.regions.stream.hidden = false;
    }
    this.root.dataset.stream = state;
  }

  async reload(stream) {
    stream.close();
    await this.loadCurves();
    this.refreshSoon();
  }

  change(apply) {
    if (!this.curves) return;
    apply();
    // A page that is left open must not hold ever more points than one that is opened now.
    if (longest(this.curves) > 2 * this.data.points) this.reload(this.stream);
    else this.drawSoon();
    this.refreshSoon();
  }

  // What the traces of the figure are bound to.
  get bound() {
    return withMeans(this.curves, this.description);
  }

  // Whatever arrives between two frames is drawn once.
  drawSoon() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      if (!this.curves) return;
      if (this.slow) this.tips.draw(this.bound);
      else this.draw();
    });
  }

  get slow() {
    return this.drawMs >= QUICK_DRAW_MS;
  }

  // Whether a slow figure can wait: the same marks in the same places, only further progress.
  get canWait() {
    const { layout, data } = this.description;
    // Names at line ends come together and part as the lines go on; that is progress too.
    const words = layout.annotations.filter((item) => item.name !== "end").length;
    const essence = JSON.stringify([layout.uirevision, layout.meta, layout.shapes.length, words, data.map((trace) => [trace.meta?.status, trace.line?.width])]);
    const same = essence === this.essence && this.chart.clientWidth === this.width && themeName() === this.theme;
    [this.essence, this.theme] = [essence, themeName()];
    return same && this.slow && performance.now() - this.lastDraw < SLOW_REDRAW_SHARE * this.drawMs;
  }

  refreshSoon() {
    if (this.timer) return;
    const wait = Math.max(200, MIN_INTERVAL_MS - (performance.now() - this.lastView));
    this.timer = setTimeout(() => {
      this.timer = null;
      // Nobody sees a page in the background; it is described anew when it comes to the front.
      if (document.hidden) document.addEventListener("visibilitychange", () => this.refreshSoon(), { once: true });
      else this.refreshView();
    }, wait);
  }

  async refreshView() {
    this.lastView = performance.now();
    const view = await fetchJson(this.url(), this.regions.notice);
    if (view === null) return;
    this.live = view.live;
    this.cursor = view.cursor;
    showSlots(view.slots);
    this.description = view.figure;
    this.chart.setAttribute("aria-label", view.alt);
    for (const name of ["header", "finding", "side", "keys"]) patch(this.regions[name], view[name]);
    const waits = this.canWait && view.live;
    if (waits) {
      this.tips.move(view.figure);
      this.drawSoon();
    }
    await Promise.all([waits ? null : this.draw(), this.refreshTables()]);
    if (!view.live && this.stream) await this.settle();
    if (view.live && !this.stream && this.curves) await this.loadCurves(); // It was trained further.
  }

  async refreshTables() {
    if (!this.regions.tables.open) return;
    const found = await fetchJson(this.url("/tables"), this.regions.notice);
    if (found !== null) patch(this.regions.tables.lastElementChild, found.tables);
  }

  async draw() {
    if (!this.curves || !this.description) return;
    const Plotly = await ensurePlotly();
    if (!this.curves) return; // Other series were asked for while it came; they are drawn when they are here.
    // Drawing under a hand that drags would let go of what it holds.
    if (this.chart._dragging) return void setTimeout(() => this.draw(), 150);
    const start = performance.now();
    const { bound } = this;
    const traces = this.description.data.map((trace) => fill(trace, bound));
    this.chart.style.minHeight = `${this.description.layout.height}px`;
    this.width = this.chart.clientWidth;
    const layout = { ...structuredClone(this.description.layout), width: this.width };
    if (Object.keys(this.curves.runs).length) layout.annotations = layout.annotations.filter((item) => item.name !== "waiting");
    await Plotly.react(this.chart, traces, layout, CHART_CONFIG);
    this.lastDraw = performance.now();
    this.drawMs = this.lastDraw - start;
    performance.measure("tau-draw", { start, end: start + this.drawMs });
    this.tips.reset(bound);
    if (!this.drawn) this.tips.follow(() => this.slow && this.curves && this.bound);
    if (!this.drawn) listenToClicks(this.chart, { focusRow: (row) => this.focusRow(row), inspect: (point) => this.send("inspect", point) });
    this.drawn = true;
    this.root.dataset.ready = "yes";
    this.hover.restore();
  }

  focusRow(row) {
    const key = this.description.layout.meta.rows[row];
    if (key !== undefined && key !== this.data.options.n) this.send("focus", key);
  }
}
