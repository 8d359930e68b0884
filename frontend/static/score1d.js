// The score page: the learned score at any checkpoint, by slider or played, from what the page holds; both figures anew as runs go on.

import { DescribedPage, mountPage } from "./described.js";
import { steps as written } from "./dom.js";
import { CHART_CONFIG, ensurePlotly, patch, showSlots } from "./shell.js";

export const mount = (root, data, send) => mountPage(root, Score, data, send);

const FRAME_MS = 300;

class Score extends DescribedPage {
  constructor(root) {
    super(root, "score", "scores");
    this.slider = root.querySelector(".tau-slider");
    this.button = root.querySelector("[data-play]");
    this.shown = root.querySelector("[data-shown]");
    this.slider.addEventListener("input", () => this.move((this.held = Number(this.slider.value))));
    this.slider.addEventListener("change", () => this.choose());
    this.button.addEventListener("click", () => (this.playing ? this.pause() : this.play()));
  }

  close() {
    clearInterval(this.playing);
    super.close();
  }

  // The address says where the slider begins; from then on the slider says what stands there, however late its answer comes.
  show(data) {
    this.at ??= data.options.at ?? "";
    data.options.at = this.at;
    return super.show(data);
  }

  // Without a training time it is the newest, also while more come.
  async put(described) {
    this.described = described;
    showSlots(described.slots);
    for (const name of ["header", "finding", "keys", "table"]) patch(this.regions[name], described[name]);
    const drawn = Object.keys(described.figures).length > 0;
    this.root.dataset.drawn = drawn ? "yes" : "no";
    if (!drawn) return;
    const { steps } = described.frames;
    this.slider.max = Math.max(0, steps.length - 1);
    this.slider.disabled = this.button.disabled = steps.length < 2;
    this.place(this.held ?? this.wanted(steps));
    for (const name of Object.keys(this.charts)) await this.draw(name, described, CHART_CONFIG);
    await this.move(Number(this.slider.value));
  }

  wanted(steps) {
    const at = this.at === "" ? NaN : Number(this.at);
    return Number.isFinite(at) ? Math.max(0, steps.findLastIndex((step) => step <= at)) : steps.length - 1;
  }

  place(index) {
    const { steps } = this.described.frames;
    const here = Math.max(0, Math.min(index, steps.length - 1));
    const words = steps.length ? `τ ${written(steps[here])}` : "no checkpoint yet";
    this.slider.value = here;
    this.slider.setAttribute("aria-valuetext", words);
    this.shown.textContent = words;
    return here;
  }

  // Every learned score and every title at another checkpoint, and the line on the figure below.
  async move(index) {
    const { frames } = this.described;
    if (!frames.steps.length) return;
    const here = this.place(index);
    const Plotly = await ensurePlotly();
    const { scores, errors } = this.charts;
    for (const trace of scores.data.filter((item) => item.meta?.curve === "learned")) {
      const row = frames.rows[trace.meta.run][here];
      trace.y = row === null ? trace.x.map(() => null) : frames.learned[trace.meta.run][row];
    }
    for (const title of scores.layout.annotations) {
      const [, run] = (title.name ?? "").split(" ");
      if (frames.titles[run]) title.text = frames.titles[run][here];
    }
    const cursor = errors.layout.shapes.find((shape) => shape.name === "cursor");
    cursor.x0 = cursor.x1 = frames.steps[here];
    await Promise.all([Plotly.redraw(scores), Plotly.relayout(errors, { shapes: errors.layout.shapes })]);
    this.root.dataset.at = frames.steps[here];
  }

  // While something plays, or is held, new checkpoints do not move it.
  play() {
    const last = () => this.described.frames.steps.length - 1;
    this.held = Number(this.slider.value) >= last() ? 0 : Number(this.slider.value);
    this.say(true);
    this.move(this.held);
    this.playing = setInterval(() => {
      if (this.held >= last()) return this.pause();
      this.move(++this.held);
    }, FRAME_MS);
  }

  pause() {
    clearInterval(this.playing);
    this.playing = null;
    this.say(false);
    this.choose();
  }

  say(playing) {
    this.button.textContent = playing ? "Pause" : "Play";
    this.button.setAttribute("aria-pressed", String(playing));
  }

  // The last checkpoint leaves no trace in the address, so that a page that is watched goes on with its runs.
  choose() {
    if (this.playing) return this.pause();
    this.held = undefined;
    const { steps } = this.described.frames;
    const here = Number(this.slider.value);
    this.at = here >= steps.length - 1 ? "" : String(steps[here]);
    this.data.options.at = this.at;
    return this.send("at", this.at);
  }
}
