// The law page: a slider that moves every curve at once, and two figures that are described anew as runs go on.

import { CHART_CONFIG, ensurePlotly, fetchJson, patch, showSlots, themeName, onThemeChange, onNavigate, onTalkKey } from "./shell.js";
import { takeFigure } from "./takeaway.js";

const MIN_INTERVAL_MS = 1500;

export function mount(root, data, send) {
  const law = root.tauLaw ?? (root.tauLaw = new Law(root));
  const call = (law.calls = (law.calls ?? 0) + 1);
  law.send = send;
  law.show(data);
  // Streamlit also cleans up after a call that a newer one overtook; only the newest may close.
  return () => law.calls === call && law.close();
}

class Law {
  constructor(root) {
    this.root = root;
    this.regions = Object.fromEntries([...root.querySelectorAll("[data-region]")].map((node) => [node.dataset.region, node]));
    this.charts = Object.fromEntries([...root.querySelectorAll("[data-chart]")].map((node) => [node.dataset.chart, node]));
    this.stopTheme = onThemeChange(() => this.refresh());
    this.stopTalk = onTalkKey(() => this.send("talk", this.data.options.talk ? "" : "1"));
    onNavigate(root, (name, value) => this.send(name, value));
    root.addEventListener("click", (event) => this.act(event));
    root.addEventListener("input", (event) => event.target.type === "range" && this.move(Number(event.target.value)));
    root.addEventListener("change", (event) => event.target.type === "range" && this.choose(Number(event.target.value).toFixed(2)));
    this.resize = new ResizeObserver(() => this.width && this.charts.law.clientWidth !== this.width && this.refresh());
    this.resize.observe(this.charts.law);
  }

  close() {
    this.stream?.close();
    clearTimeout(this.timer);
    this.stopTheme();
    this.stopTalk();
    this.resize.disconnect();
    delete this.root.tauLaw;
  }

  show(data) {
    if (this.data && this.data.id !== data.id) this.stream?.close();
    this.data = data;
    this.root.classList.toggle("tau-talk", Boolean(data.options.talk));
    return this.refresh();
  }

  act(event) {
    const button = event.target.closest("[data-action],[data-take],[data-best]");
    if (!button) return;
    const { action, take, best } = button.dataset;
    if (action !== undefined) this.send(action, true);
    if (best !== undefined) this.choose(best);
    if (take !== undefined) this.take(button.dataset);
  }

  async take({ take: form, part, print, file }) {
    const view = await fetchJson(this.url({ print, ...(print ? { theme: "light", talk: null } : {}) }), this.regions.notice);
    if (view !== null) await takeFigure(view.figures[part], { form, file, print, width: this.charts[part].clientWidth });
  }

  url(more = {}) {
    const given = { ...this.data.options, theme: themeName(), viewport: window.innerHeight, width: this.charts.law.clientWidth, ...more };
    const chosen = Object.entries(given).filter(([, value]) => value !== null && value !== undefined && value !== "");
    return `/view/law/${encodeURIComponent(this.data.id)}?${new URLSearchParams(Object.fromEntries(chosen))}`;
  }

  async refresh() {
    this.last = performance.now();
    const view = await fetchJson(this.url(), this.regions.notice);
    if (view === null) {
      this.refreshSoon(3000);
      return;
    }
    this.view = view;
    showSlots(view.slots);
    for (const name of ["header", "finding", "law_keys", "collapse_words", "table"]) patch(this.regions[name], view[name]);
    this.showSlider(view.slider);
    for (const name of Object.keys(this.charts)) await this.draw(name);
    if (view.live) this.listen(view.cursor);
    else this.stream?.close();
    this.root.dataset.ready = "yes";
  }

  // A slider that is being moved, or has moved on since this was asked for, must not be replaced under the hand.
  showSlider(html) {
    if (this.moving || (this.wanted !== undefined && this.wanted !== this.data.options.a)) return;
    const { slider } = this.regions;
    const held = slider.contains(document.activeElement) ? document.activeElement.tagName : null;
    patch(slider, html);
    if (held) slider.querySelector(held)?.focus();
  }

  choose(a) {
    this.moving = false;
    this.wanted = a;
    this.send("a", a);
  }

  async draw(name) {
    const Plotly = await ensurePlotly();
    const { data, layout } = structuredClone(this.view.figures[name]);
    this.charts[name].setAttribute("aria-label", this.view.alt[name]);
    this.charts[name].style.minHeight = `${layout.height}px`;
    this.width = this.charts.law.clientWidth;
    await Plotly.react(this.charts[name], data, { ...layout, width: this.charts[name].clientWidth }, CHART_CONFIG);
  }

  // Every curve at another exponent, from what the page holds already.
  move(a) {
    this.moving = true;
    const { score } = this.view;
    const words = score ? scoreWords(score, a) : "";
    this.regions.slider.querySelector("[data-a]").textContent = a.toFixed(2);
    this.regions.slider.querySelector("input").setAttribute("aria-valuetext", words);
    const said = this.regions.collapse_words.querySelector("[data-score]");
    if (said) said.textContent = words;
    this.pending = a;
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.scale(this.pending);
    });
  }

  async scale(a) {
    const Plotly = await ensurePlotly();
    const made = structuredClone(this.view.figures.collapse);
    for (const trace of made.data) trace.x = trace.meta.tau.map((tau) => tau / trace.meta.n ** a);
    const times = made.data.flatMap((trace) => trace.x);
    const [low, high] = [Math.min(...times), Math.max(...times)];
    made.layout.xaxis.range = [Math.log10(low / 1.1), Math.log10(Math.max(high * 1.9, low * 10))];
    delete made.layout.xaxis.tickvals;
    made.layout.xaxis.dtick = 1;
    made.layout.xaxis.title.text = `τ / n<sup>${a.toFixed(2)}</sup> (log)`;
    // Names stand where the server puts them; while the slider moves they would lag behind their lines.
    made.layout.annotations = made.layout.annotations.filter((item) => item.xref !== "x");
    await Plotly.react(this.charts.collapse, made.data, { ...made.layout, width: this.charts.collapse.clientWidth }, CHART_CONFIG);
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

// The browser's half of frontend/markup/law.py.
function scoreWords({ best, least, curvature, unscaled }, a) {
  const score = least + curvature * (a - best) ** 2;
  const said = score >= 0.001 ? `score ${score.toFixed(3)}` : "score under 0.001";
  return `a = ${a.toFixed(2)}: ${said}, curves a factor ${Math.exp(Math.sqrt(unscaled * score)).toFixed(2)} apart`;
}
