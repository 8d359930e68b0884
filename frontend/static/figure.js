// One figure, a finding and a table from the address in data.view, asked for anew at a change of theme or width, and while its answer is live.

import { Polling } from "./polling.js";
import { ensurePlotly, fetchJson, patch, showSlots, themeName, onThemeChange, onNavigate } from "./shell.js";

const CONFIG = { displaylogo: false, responsive: false, displayModeBar: false };
const POLL_MS = 3000;

export function mount(root, data, send) {
  const page = root.tauFigure ?? (root.tauFigure = new Figure(root));
  const call = (page.calls = (page.calls ?? 0) + 1);
  page.send = send;
  page.show(data.view);
  // Streamlit also cleans up after a call that a newer one overtook; only the newest may close.
  return () => page.calls === call && page.close();
}

class Figure {
  constructor(root) {
    this.root = root;
    this.regions = Object.fromEntries([...root.querySelectorAll("[data-region]")].map((node) => [node.dataset.region, node]));
    this.polling = new Polling(() => this.refresh(), POLL_MS);
    this.stopTheme = onThemeChange(() => this.polling.now());
    this.resize = new ResizeObserver(() => this.width && this.regions.chart.clientWidth !== this.width && this.polling.now());
    this.resize.observe(this.regions.chart);
    onNavigate(root, (name, value) => this.send(name, value));
  }

  show(view) {
    if (this.view === view) return;
    this.view = view;
    this.polling.now();
  }

  close() {
    this.polling.close();
    this.closed = true;
    this.stopTheme();
    this.resize.disconnect();
    delete this.root.tauFigure;
  }

  async refresh() {
    this.width = this.regions.chart.clientWidth;
    const asked = new URLSearchParams({ theme: themeName(), viewport: window.innerHeight, width: this.width });
    const from = this.view;
    const view = await fetchJson(`${from}?${asked}`, this.regions.notice);
    if (this.closed || from !== this.view) return false;
    if (view === null) return true;
    for (const [name, html] of Object.entries(view.regions)) patch(this.regions[name], html);
    showSlots(view.slots);
    this.regions.chart.hidden = view.figure === null;
    if (view.figure !== null) await this.draw(view);
    this.root.dataset.ready = "yes";
    return view.live;
  }

  // A figure that says nothing new is left alone, with what is hovered in it.
  async draw({ figure, alt }) {
    const essence = JSON.stringify([figure, this.width]);
    if (essence === this.essence) return;
    this.essence = essence;
    const Plotly = await ensurePlotly();
    const { chart } = this.regions;
    chart.setAttribute("aria-label", alt);
    chart.style.minHeight = `${figure.layout.height}px`;
    await Plotly.react(chart, figure.data, { ...figure.layout, width: chart.clientWidth }, CONFIG);
  }
}
