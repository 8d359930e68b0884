// The law page: a slider for each exponent that moves every curve at once, and two figures described anew as runs go on.

import { DescribedPage, mountPage } from "./described.js";
import { CHART_CONFIG, ensurePlotly, patch, showSlots } from "./shell.js";

export const mount = (root, data, send) => mountPage(root, Law, data, send);

// The browser's half of frontend/markup/collapse.py and of charts/collapse.py.
const VARIABLES = { a: "n", b: "width" };
const power = (value) => value.toFixed(2).replace(/^-0\.00$/, "0.00").replace("-", "−");

class Law extends DescribedPage {
  constructor(root) {
    super(root, "law", "law");
    const moved = (then) => ({ target }) => target.dataset?.exponent && then(target.dataset.exponent, Number(target.value));
    root.addEventListener("input", moved((letter, value) => this.move(letter, value)));
    root.addEventListener("change", moved((letter, value) => this.choose(letter, value.toFixed(2))));
  }

  act(event) {
    super.act(event);
    const button = event.target.closest("[data-set]");
    if (button) this.choose(button.dataset.of, button.dataset.set);
  }

  async put(described) {
    this.described = described;
    showSlots(described.slots);
    for (const name of ["header", "finding", "law_keys", "collapse_words", "table"]) patch(this.regions[name], described[name]);
    this.showSliders(described.slider);
    for (const name of Object.keys(this.charts)) await this.draw(name, described, CHART_CONFIG);
  }

  // A slider that is being moved, or has moved on since this was asked for, must not be replaced under the hand.
  showSliders(html) {
    const { options } = this.data;
    if (this.moving || Object.entries(this.wanted ?? {}).some(([letter, value]) => value !== options[letter])) return;
    const { slider } = this.regions;
    const { exponent, set, of } = (slider.contains(document.activeElement) && document.activeElement.dataset) || {};
    patch(slider, html);
    if (exponent) slider.querySelector(`[data-exponent="${exponent}"]`)?.focus();
    if (set) slider.querySelector(`[data-set="${set}"][data-of="${of}"]`)?.focus();
  }

  choose(letter, value) {
    this.moving = false;
    this.wanted = { ...this.wanted, [letter]: value };
    this.send(letter, value);
  }

  // Every curve at other exponents, from what the page holds already.
  move(letter, value) {
    this.moving = true;
    const inputs = [...this.regions.slider.querySelectorAll("[data-exponent]")];
    const exponents = Object.fromEntries(inputs.map((input) => [input.dataset.exponent, Number(input.value)]));
    const { score } = this.described;
    const words = score ? scoreWords(score, exponents) : "";
    this.regions.slider.querySelector(`[data-shown="${letter}"]`).textContent = power(value);
    for (const input of inputs) input.setAttribute("aria-valuetext", words);
    const said = this.regions.collapse_words.querySelector("[data-score]");
    if (said) said.textContent = words;
    this.pending = exponents;
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.scale(this.pending);
    });
  }

  async scale(exponents) {
    const Plotly = await ensurePlotly();
    const made = structuredClone(this.described.figures.collapse);
    for (const trace of made.data) {
      const scale = Object.entries(exponents).reduce((product, [letter, at]) => product * trace.meta.at[VARIABLES[letter]] ** at, 1);
      trace.x = trace.meta.tau.map((tau) => tau / scale);
    }
    const times = made.data.flatMap((trace) => trace.x);
    const [low, high] = [Math.min(...times), Math.max(...times)];
    made.layout.xaxis.range = [Math.log10(low / 1.1), Math.log10(Math.max(high * 1.9, low * 10))];
    delete made.layout.xaxis.tickvals;
    made.layout.xaxis.dtick = 1;
    made.layout.xaxis.title.text = `${scaledTime(exponents)} (log)`;
    // Names stand where the server puts them; while a slider moves they would lag behind their lines.
    made.layout.annotations = made.layout.annotations.filter((item) => item.xref !== "x");
    await Plotly.react(this.charts.collapse, made.data, { ...made.layout, width: this.charts.collapse.clientWidth }, CHART_CONFIG);
  }
}

function scaledTime({ a, b }) {
  const times = b === undefined ? "" : ` W<sup>${power(-b)}</sup>`;
  return `τ${times}${a === undefined ? "" : ` / n<sup>${power(a)}</sup>`}`;
}

function scoreWords({ best, least, curvature, unscaled }, exponents) {
  const away = Object.values(exponents).map((value, place) => value - best[place]);
  const score = least + away.reduce((sum, by, row) => sum + curvature[row].reduce((part, value, column) => part + by * value * away[column], 0), 0);
  const where = Object.entries(exponents).map(([letter, value]) => `${letter} = ${power(value)}`);
  const said = score >= 0.001 ? `score ${score.toFixed(3)}` : "score under 0.001";
  return `${where.join(", ")}: ${said}, curves a factor ${Math.exp(Math.sqrt(unscaled * score)).toFixed(2)} apart`;
}
