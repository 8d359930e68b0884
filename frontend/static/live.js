// The watch page in the browser: one event stream, the curves it appends to, and a figure described by the server.
//
// The server describes the figure without curve data (/view/experiments/{id}); a trace that shows a curve names the
// series it is bound to. Points that arrive are appended to the series at once; anything else that changes (onsets,
// states, texts) is described anew by the server, at most once a second. Zoom, hover and scroll survive both.

import { ensurePlotly, fetchJson, patch, showSlots, themeName, onThemeChange, onNavigate } from "./shell.js";

const COLUMNS = ["step", "value", "low", "high", "count", "reason"];
const MIN_INTERVAL_MS = 900;
const QUIET_REFRESH_MS = 12000;
const SETTLED_REFRESH_MS = 8000;

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
    this.timer = null;
    this.regions = Object.fromEntries([...root.querySelectorAll("[data-region]")].map((node) => [node.dataset.region, node]));
    this.chart = this.regions.chart;
    this.stopTheme = onThemeChange(() => this.refreshView());
    this.quiet = setInterval(() => this.live && this.refreshView(), QUIET_REFRESH_MS);
    onNavigate(root, (name, value) => this.send(name, value));
    root.addEventListener("click", (event) => this.act(event));
    this.resize = new ResizeObserver(() => this.drawn && this.chart.clientWidth > 0 && this.chart.clientWidth !== this.width && this.draw());
    this.resize.observe(this.chart);
  }

  close() {
    this.stream?.close();
    this.stopTheme();
    clearInterval(this.quiet);
    clearTimeout(this.timer);
    this.resize.disconnect();
    delete this.root.tauWatch;
  }

  async show(data) {
    const other = this.data?.id !== data.id;
    this.data = data;
    if (other) {
      this.stream?.close();
      await this.loadCurves();
    }
    await this.refreshView();
  }

  act(event) {
    const button = event.target.closest("[data-focus],[data-action]");
    if (!button) return;
    if (button.dataset.focus !== undefined) this.send("focus", button.dataset.focus);
    if (button.dataset.action !== undefined) this.send(button.dataset.action, true);
  }

  // The curves, once; then the stream goes on from their cursor.
  async loadCurves() {
    const id = encodeURIComponent(this.data.id);
    const curves = await fetchJson(`/api/v1/experiments/${id}/curves`, this.regions.notice);
    if (curves === null) {
      clearTimeout(this.retry);
      this.retry = setTimeout(() => this.loadCurves(), 3000);
      return;
    }
    this.curves = curves;
    this.draw();
    this.listen(curves.cursor);
  }

  // All is over: the last points may still be on their way in the stream, so they are fetched, and it is closed.
  async settle() {
    this.stream.close();
    this.stream = null;
    const curves = await fetchJson(`/api/v1/experiments/${encodeURIComponent(this.data.id)}/curves`, this.regions.notice);
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
    stream.addEventListener("points", (event) => this.append(JSON.parse(event.data)));
    for (const name of ["run", "experiment"]) stream.addEventListener(name, () => this.refreshSoon());
    stream.addEventListener("rewind", (event) => this.rewind(JSON.parse(event.data)));
    stream.addEventListener("open", () => (this.root.dataset.stream = "open"));
    stream.addEventListener("error", () => {
      this.root.dataset.stream = "lost";
      // A stream that the browser has given up on is begun again from fresh curves.
      if (stream.readyState === EventSource.CLOSED && this.live) setTimeout(() => this.stream === stream && this.reload(stream), 3000);
    });
  }

  // A run went back to a checkpoint: what it measured beyond comes anew.
  rewind({ run_id: run, step }) {
    for (const series of Object.values(this.curves?.runs[run] ?? {})) {
      const keep = series.step.filter((at) => at <= step).length;
      for (const column of COLUMNS) series[column].length = keep;
    }
    this.draw();
    this.refreshSoon();
  }

  async reload(stream) {
    stream.close();
    await this.loadCurves();
    this.refreshSoon();
  }

  append({ run_id: run, metrics }) {
    if (!this.curves) return;
    const series = (this.curves.runs[run] ??= {});
    for (const [metric, added] of Object.entries(metrics)) {
      const known = (series[metric] ??= Object.fromEntries(COLUMNS.map((column) => [column, []])));
      merge(known, added);
    }
    this.draw();
    this.refreshSoon();
  }

  refreshSoon() {
    if (this.timer) return;
    const wait = Math.max(200, MIN_INTERVAL_MS - (performance.now() - this.lastView));
    this.timer = setTimeout(() => {
      this.timer = null;
      this.refreshView();
    }, wait);
  }

  async refreshView() {
    this.lastView = performance.now();
    const chosen = Object.entries(this.data.options).filter(([, value]) => value !== null && value !== undefined);
    const query = new URLSearchParams({ ...Object.fromEntries(chosen), theme: themeName(), viewport: window.innerHeight, width: this.chart.clientWidth });
    const view = await fetchJson(`/view/experiments/${encodeURIComponent(this.data.id)}?${query}`, this.regions.notice);
    if (view === null) return;
    this.live = view.live;
    showSlots(view.slots);
    this.description = view.figure;
    for (const name of ["header", "finding", "side", "keys"]) patch(this.regions[name], view[name]);
    await this.draw();
    if (!view.live && this.stream) await this.settle();
    this.root.dataset.ready = "yes";
  }

  async draw() {
    if (!this.curves || !this.description) return;
    const Plotly = await ensurePlotly();
    const traces = this.description.data.map((trace) => fill(trace, this.curves));
    const config = { displaylogo: false, responsive: false, modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"], displayModeBar: "hover" };
    this.chart.style.minHeight = `${this.description.layout.height}px`;
    this.width = this.chart.clientWidth;
    const layout = { ...structuredClone(this.description.layout), width: this.width };
    if (Object.keys(this.curves.runs).length) layout.annotations = layout.annotations.filter((item) => item.name !== "waiting");
    await Plotly.react(this.chart, traces, layout, config);
    if (!this.drawn) this.listenToClicks();
    this.drawn = true;
  }

  // With one hover line through all panels Plotly's own click names every panel's points; the panel under the pointer decides.
  listenToClicks() {
    this.chart.on("plotly_click", ({ event, points }) => {
      const { yaxis2, yaxis3, _size: size } = this.chart._fullLayout;
      const y = event.clientY - this.chart.getBoundingClientRect().top;
      const within = (axis) => axis && y >= axis._offset && y <= axis._offset + axis._length;
      if (within(yaxis3)) return this.focusRow(Math.round(-yaxis3.p2d(y - yaxis3._offset)));
      const point = within(yaxis2) && points.find((item) => item.data.yaxis === "y2" && item.data.meta?.bind?.metric === "f_mem");
      if (point) this.send("inspect", { run: point.data.meta.bind.run, step: point.customdata[3] });
    });
    this.chart.addEventListener("click", (event) => {
      const axis = this.chart._fullLayout?.yaxis3;
      if (!axis) return;
      const y = event.clientY - this.chart.getBoundingClientRect().top - axis._offset;
      if (y >= 0 && y <= axis._length) this.focusRow(Math.round(-axis.p2d(y)));
    });
  }

  focusRow(row) {
    const key = this.description.layout.meta.rows[row];
    if (key !== undefined && key !== this.data.options.n) this.send("focus", key);
  }
}

// Add rows to a series in order of step; a step that is there already is replaced, so a repeated event changes nothing.
function merge(known, added) {
  added.step.forEach((step, row) => {
    let at = known.step.length;
    while (at > 0 && known.step[at - 1] >= step) at -= 1;
    const replace = known.step[at] === step ? 1 : 0;
    for (const column of COLUMNS) known[column].splice(at, replace, added[column]?.[row] ?? null);
  });
}

// The browser's half of frontend/charts/filling.py.
function fill(trace, curves) {
  const bound = trace.meta?.bind;
  if (!bound) return trace;
  const series = curves.runs[bound.run]?.[bound.metric];
  if (!series) return { ...trace, x: [], y: [] };
  let rows = series.step.map((_, row) => row);
  if (bound.last) rows = rows.filter((row) => series.value[row] !== null).slice(-1);
  return {
    ...trace,
    x: rows.map((row) => series.step[row] / bound.divisor),
    y: rows.map((row) => series[bound.column][row]),
    customdata: rows.map((row) => [series.low[row], series.high[row], series.count[row], series.step[row]]),
  };
}
