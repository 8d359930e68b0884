// One figure, a finding and a table from the address in data.view, asked for once a visit and at a change of theme or width.

import { ensurePlotly, fetchJson, patch, showSlots, themeName, onThemeChange, onNavigate } from "./shell.js";

const CONFIG = { displaylogo: false, responsive: false, displayModeBar: false };

export function mount(root, data, send) {
  const page = root.tauFigure ?? (root.tauFigure = new Figure(root, data.view));
  const call = (page.calls = (page.calls ?? 0) + 1);
  page.send = send;
  // Streamlit also cleans up after a call that a newer one overtook; only the newest may close.
  return () => page.calls === call && page.close();
}

class Figure {
  constructor(root, view) {
    this.root = root;
    this.view = view;
    this.regions = Object.fromEntries([...root.querySelectorAll("[data-region]")].map((node) => [node.dataset.region, node]));
    this.stopTheme = onThemeChange(() => this.refresh());
    this.resize = new ResizeObserver(() => this.width && this.regions.chart.clientWidth !== this.width && this.refresh());
    this.resize.observe(this.regions.chart);
    onNavigate(root, (name, value) => this.send(name, value));
    this.refresh();
  }

  close() {
    this.stopTheme();
    this.resize.disconnect();
    delete this.root.tauFigure;
  }

  async refresh() {
    this.width = this.regions.chart.clientWidth;
    const asked = new URLSearchParams({ theme: themeName(), viewport: window.innerHeight, width: this.width });
    const view = await fetchJson(`${this.view}?${asked}`, this.regions.notice);
    if (view === null) return;
    for (const [name, html] of Object.entries(view.regions)) patch(this.regions[name], html);
    showSlots(view.slots);
    this.regions.chart.hidden = view.figure === null;
    if (view.figure !== null) await this.draw(view);
    this.root.dataset.ready = "yes";
  }

  async draw({ figure, alt }) {
    const Plotly = await ensurePlotly();
    const { chart } = this.regions;
    chart.setAttribute("aria-label", alt);
    chart.style.minHeight = `${figure.layout.height}px`;
    await Plotly.react(chart, figure.data, { ...figure.layout, width: chart.clientWidth }, CONFIG);
  }
}
