// The strip: a slider over checkpoints on the log axis, and the film of one seed below it.

import { h, refill, steps } from "./dom.js";
import { loadImage, paint } from "./sheets.js";

const FRAME = 50; // As wide as the picture and its frame; a long step needs more.
const DIGIT = 7;
const SCALE = 10000; // Places along the axis, in steps of the range input.

export class Checkpoints {
  constructor(root, choose) {
    this.slider = root.querySelector(".tau-slider");
    this.frames = root.querySelector('[data-region="frames"]');
    this.links = root.querySelector('[data-region="links"]');
    this.choose = choose;
    this.slider.addEventListener("input", () => this.slide());
    this.slider.addEventListener("keydown", (event) => this.key(event));
    this.resize = new ResizeObserver(() => this.draw());
    this.resize.observe(this.frames);
  }

  close() {
    this.resize.disconnect();
  }

  show(list, current, film, shape) {
    Object.assign(this, { list, current, film, shape });
    this.slider.max = SCALE;
    const here = list.find((item) => item.step === current);
    // While it is dragged the thumb belongs to the hand; it rests on the stop that was chosen.
    this.slider.value = Math.round((here?.at ?? 1) * SCALE);
    this.slider.disabled = list.length === 0;
    this.slider.setAttribute("aria-valuetext", current === null ? "no checkpoint" : `τ ${steps(current)}`);
    this.draw();
  }

  slide() {
    const at = Number(this.slider.value) / SCALE;
    const nearest = this.list.reduce((best, item) => (Math.abs(item.at - at) < Math.abs(best.at - at) ? item : best));
    this.slider.value = Math.round(nearest.at * SCALE);
    this.slider.setAttribute("aria-valuetext", `τ ${steps(nearest.step)}`);
    if (nearest.step !== this.current) this.choose(nearest.step);
  }

  // The arrow keys go from stop to stop; the page listens to them too, so that they work everywhere.
  key(event) {
    const to = { Home: 0, End: this.list.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.choose(this.list[to].step);
  }

  // As many frames as fit, always with the present one, the first, the last and the first copy.
  chosen() {
    const count = this.list.length;
    const wide = Math.max(FRAME, DIGIT * steps(this.list.at(-1)?.step ?? 0).length);
    const room = Math.max(3, Math.floor(this.frames.clientWidth / wide));
    if (count <= room) return this.list;
    const wanted = this.list.filter((item, index) => index === 0 || index === count - 1 || item.step === this.current || item.step === this.film?.first_copied_at);
    const even = Array.from({ length: room - wanted.length }, (_, place) => this.list[Math.round(((place + 1) * (count - 1)) / (room - wanted.length + 1))]);
    return this.list.filter((item) => wanted.includes(item) || even.includes(item));
  }

  draw() {
    if (!this.list || !this.frames.clientWidth) return;
    const shown = this.chosen();
    this.frames.style.gridTemplateColumns = `repeat(${Math.max(1, shown.length)}, minmax(0, 1fr))`;
    refill(this.frames, ...shown.map((item) => this.frame(item)));
    this.link(shown);
  }

  frame(item) {
    const at = this.film ? this.film.step.indexOf(item.step) : -1;
    const body = at >= 0 ? this.pictures(at) : [placeholder(item)];
    const copy = at >= 0 && this.film.is_copy[at];
    const words = at >= 0 ? `, gap ratio ${this.film.gap_ratio[at].toFixed(2)}${copy ? ", copy" : ""}` : `, ${STATES[item.state] ?? item.state}`;
    const here = item.step === this.current;
    const about = { type: "button", tabindex: -1, "aria-label": `τ ${steps(item.step)}${words}`, "data-focus": `frame-${item.step}`, "data-at": item.step };
    return h(
      "button",
      { ...about, class: `tau-frame${here ? " tau-current" : ""}`, "aria-current": here ? "step" : null, on: { click: () => this.choose(item.step) } },
      h("span", { class: "tau-frame-step" }, steps(item.step)),
      ...body,
    );
  }

  pictures(at) {
    const copy = this.film.is_copy[at];
    const [, height, width] = this.shape;
    const canvas = (row, edge, style) => {
      const wide = edge >= width ? Math.floor(edge / width) * width : edge;
      const made = h("canvas", { class: `tau-pixels ${style}`, "aria-hidden": "true", style: { width: `${wide}px`, height: `${Math.round((wide * height) / width)}px` } });
      paint(made, filmUrl(this.film), row * this.film.step.length + at, this.shape, this.film.step.length);
      return made;
    };
    return [canvas(0, 40, copy ? "tau-copy" : ""), canvas(1, 24, ""), h("span", { class: copy ? "tau-copied" : "tau-quiet" }, this.film.gap_ratio[at].toFixed(2))];
  }

  // Lines from each stop on the log axis to its frame.
  link(shown) {
    const width = this.frames.clientWidth;
    const lines = shown.map((item, index) => {
      const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
      line.setAttribute("d", `M${item.at * width} 0V4L${((index + 0.5) / shown.length) * width} 14`);
      line.setAttribute("class", item.step === this.current ? "tau-link tau-current" : "tau-link");
      return line;
    });
    this.links.setAttribute("viewBox", `0 0 ${width} 14`);
    this.links.replaceChildren(...lines);
  }
}

const STATES = { waiting: "still being evaluated", diverged: "no finite sample" };

function placeholder(item) {
  return h("span", { class: `tau-frame-empty tau-${item.state}` }, item.state === "diverged" ? "×" : item.state === "waiting" ? "…" : "");
}

function filmUrl(film) {
  return `/api/v1/runs/${film.run_id}/seeds/${film.seed}/film.png?v=${film.version}`;
}

// The film is shown when its picture is there, so that no frame is empty meanwhile.
export async function loadFilm(run, seed) {
  const answer = await fetch(`/api/v1/runs/${run}/seeds/${seed}`, { credentials: "same-origin" }).catch(() => null);
  if (!answer?.ok) return null;
  const film = await answer.json();
  await loadImage(filmUrl(film)).catch(() => null);
  return film;
}
