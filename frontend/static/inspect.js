// The inspect page in the browser: checkpoints, filters, cards and the enlarged sample, all restored from the address.
//
// Words and the miniature curves come from the server (/view/inspect/{run}), samples and their pictures from the API. A new
// checkpoint is told by the event stream. What the viewer chooses goes into the address without asking the server.

import { readAddress, writeAddress } from "./address.js";
import { Board } from "./board.js";
import { Checkpoints, loadFilm } from "./checkpoints.js";
import { Detail } from "./detail.js";
import { h, noun, refill, steps } from "./dom.js";
import { copyLink, filterBar, orderOf, runSwitch } from "./filters.js";
import { Grid } from "./grid.js";
import { fetchJson, onNavigate, onThemeChange, patch, showSlots, themeName } from "./shell.js";
import { Tiles } from "./sheets.js";

const KEPT_CHECKPOINTS = 12;
const REFRESH_MS = 1500;
const RETRY_MS = 3000;

export function mount(root, data, send) {
  const page = root.tauInspect ?? (root.tauInspect = new Inspect(root, data.run));
  const call = (page.calls = (page.calls ?? 0) + 1);
  page.send = send;
  // Streamlit also cleans up after a call that a newer one overtook; only the newest may close.
  return () => page.calls === call && page.unmount();
}

class Inspect {
  constructor(root, run) {
    this.root = root;
    this.regions = Object.fromEntries([...root.querySelectorAll("[data-region]")].map((node) => [node.dataset.region, node]));
    this.samples = new Map();
    this.run = readAddress().run ?? run;
    refill(this.regions.link, copyLink());
    this.checkpoints = new Checkpoints(root, (step) => this.go({ step }));
    this.grid = new Grid(this.regions.grid, (seed, open) => this.select(seed, open));
    this.detail = new Detail(this.regions.detail, this);
    this.board = new Board(this.regions, this);
    this.onKey = (event) => this.key(event);
    document.addEventListener("keydown", this.onKey);
    this.stopTheme = onThemeChange(() => this.refresh());
    onNavigate(root, (name, value) => this.send(name, value));
    root.addEventListener("click", (event) => {
      const button = event.target.closest("[data-action]");
      if (button) this.send(button.dataset.action, true);
    });
    this.refresh();
  }

  unmount() {
    document.removeEventListener("keydown", this.onKey);
    this.stream?.close();
    clearTimeout(this.timer);
    this.stopTheme();
    this.grid.close();
    this.board.close();
    this.checkpoints.close();
    delete this.root.tauInspect;
  }

  // The checkpoints of the run, and every word about them.
  async refresh() {
    this.timer = null;
    const run = this.run;
    const view = await fetchJson(`/view/inspect/${encodeURIComponent(run)}?theme=${themeName()}`, this.regions.notice);
    if (run !== this.run) return;
    if (view === null) {
      this.later(RETRY_MS);
      return;
    }
    this.view = view;
    showSlots(view.slots);
    patch(this.regions.header, view.header);
    patch(this.regions.curves, view.curves);
    this.listen();
    await this.show();
  }

  listen() {
    if (!this.view.live || this.stream?.tauFor === this.view.id) {
      if (!this.view.live) this.stream?.close();
      return;
    }
    this.stream?.close();
    this.stream = new EventSource(`/api/v1/experiments/${this.view.id}/events?cursor=${encodeURIComponent(this.view.cursor)}`);
    this.stream.tauFor = this.view.id;
    for (const name of ["points", "run", "rewind"]) this.stream.addEventListener(name, () => this.later(REFRESH_MS));
    this.stream.addEventListener("error", ({ target }) => {
      // A stream that the browser has given up on is begun again.
      if (target.readyState !== EventSource.CLOSED || target !== this.stream) return;
      this.stream = null;
      this.later(RETRY_MS);
    });
  }

  later(wait) {
    this.timer ??= setTimeout(() => this.refresh(), wait);
  }

  chosen() {
    const { step, seed, show = "all", sort = "seed", image, train } = readAddress();
    const whole = (text) => (/^\d+$/.test(text ?? "") ? Number(text) : null);
    const last = this.view.checkpoints.filter((item) => item.state === "measured").at(-1) ?? this.view.checkpoints.at(-1);
    // Without a step in the address the newest checkpoint is shown, and stays when newer ones come: nothing jumps.
    return { step: whole(step) ?? this.stay ?? last?.step ?? null, seed: seed === "none" ? "none" : whole(seed), show, sort, image: whole(image), train: whole(train) };
  }

  go(changes) {
    writeAddress(changes);
    return this.show();
  }

  // Everything by the address; what has to be loaded first leaves the old view standing until it is there.
  async show() {
    const turn = (this.turn = (this.turn ?? 0) + 1);
    const chosen = this.chosen();
    const here = this.view.checkpoints.find((item) => item.step === chosen.step);
    const samples = here?.state === "measured" ? await this.load(here) : null;
    if (turn !== this.turn) return;
    const same = samples && this.now?.samples === samples && ["show", "sort", "image", "train"].every((name) => this.now[name] === chosen[name]);
    const order = same ? this.now.order : samples ? orderOf(samples, chosen) : [];
    const seed = pick(samples, order, chosen.seed);
    const tiles = same ? this.now.tiles : order.length ? new Tiles(samples, order) : null;
    // Another sample of the same cards is enlarged at once; its film follows.
    if (same) {
      this.now.seed = seed;
      this.enlarge(samples, seed);
    }
    // A checkpoint without samples still shows where the seed stands at the others.
    const filmed = seed ?? order[0] ?? (typeof chosen.seed === "number" ? chosen.seed : 0);
    const [film] = await Promise.all([this.film(filmed), tiles?.preload(...this.grid.positions())]);
    if (turn !== this.turn) return;
    if (samples) this.stay = chosen.step;
    Object.assign(this, { now: { ...chosen, seed, here, samples, order, tiles }, currentFilm: film });
    this.draw();
    this.root.dataset.ready = "yes";
  }

  enlarge(samples, seed) {
    this.grid.select(seed);
    this.detail.show(samples, seed, this.currentFilm);
  }

  draw() {
    const { step, seed, here, samples, order, tiles, show, sort, image, train } = this.now;
    this.root.dataset.cards = order.length ? "some" : this.view.checkpoints.length ? "none" : "never";
    refill(this.regions.runs, runSwitch(this.view.runs, this.run, (run) => this.switchRun(run)));
    patch(this.regions.finding, here?.finding ?? "");
    refill(this.regions.filters, ...filterBar(samples, { show, sort, image, train }, (changes) => this.go(changes)));
    const shape = samples?.image_shape ?? this.shape ?? [1, 8, 8];
    this.shape = shape;
    this.checkpoints.show(this.view.checkpoints, step, this.currentFilm, shape);
    const versions = this.view.checkpoints.map((item) => item.version).join();
    if (step !== null) this.board.show({ run: this.run, step, train, measured: here?.state === "measured", versions, shape });
    refill(this.regions.state, order.length ? null : this.nothing(here));
    if (!tiles || this.grid.tiles !== tiles) this.grid.show(samples, tiles, seed);
    this.enlarge(samples, seed);
  }

  // Why there are no cards, and where there are some.
  nothing(here) {
    if (!this.view.checkpoints.length) return state(this.view.empty);
    if (this.now.samples) {
      const back = h("button", { type: "button", class: "tau-button", on: { click: () => this.go({ show: null, image: null, train: null }) } }, "Show all samples");
      // What is known of the training image, above, offers the same.
      return state({ title: this.empty(), detail: "" }, this.now.train === null && back);
    }
    if (here) return state(here);
    const near = this.view.checkpoints.reduce((best, item) => (Math.abs(item.step - this.now.step) < Math.abs(best.step - this.now.step) ? item : best));
    const to = h("button", { type: "button", class: "tau-button", on: { click: () => this.go({ step: near.step }) } }, `Go to τ = ${steps(near.step)}`);
    return state({ title: `No samples were drawn at τ = ${steps(this.now.step)}`, detail: "It is no checkpoint of this run, or its samples could not be drawn." }, to);
  }

  empty() {
    const { show, train, step } = this.now;
    if (train !== null) return `No sample${show === "originals" ? "" : ` copies training ${noun(this.now.samples)} ${train}`} at τ = ${steps(step)}`;
    return show === "originals" ? "Every sample is a copy here" : "No such sample at this checkpoint";
  }

  async load({ step, version }) {
    const key = `${this.run} ${step} ${version}`;
    if (!this.samples.has(key)) {
      const found = await fetchJson(`/api/v1/runs/${encodeURIComponent(this.run)}/samples/${step}`, this.regions.notice);
      if (found === null) return null;
      this.samples.set(key, found);
      if (this.samples.size > KEPT_CHECKPOINTS) this.samples.delete(this.samples.keys().next().value);
    }
    return this.samples.get(key);
  }

  async film(seed) {
    const measured = this.view.checkpoints.filter((item) => item.state === "measured");
    const key = `${this.run} ${seed} ${measured.map((item) => item.version)}`;
    if (this.filmKey !== key) {
      const found = measured.length ? await loadFilm(this.run, seed) : null;
      this.filmKey = key;
      this.lastFilm = found;
    }
    return this.lastFilm;
  }

  switchRun(run) {
    this.run = run;
    this.stay = null;
    writeAddress({ run, image: null, train: null });
    return this.refresh();
  }

  // Where the column has no room beside the cards, an enlarged sample covers them until it is closed.
  async select(seed, open) {
    await this.go({ seed: String(seed) });
    if (open) this.root.dataset.enlarged = "yes";
  }

  filterImage(image) {
    delete this.root.dataset.enlarged;
    return this.go({ image: String(image) });
  }

  // Every sample that copies a training image, the first of them enlarged; without one, all samples again.
  async filterTrain(image) {
    delete this.root.dataset.enlarged;
    await this.go({ train: image === null ? null : String(image), image: null, show: null, seed: null });
    this.regions.about.scrollIntoView({ block: "nearest" });
  }

  async close() {
    const covered = this.root.dataset.enlarged === "yes" && getComputedStyle(this.regions.detail).position === "fixed";
    delete this.root.dataset.enlarged;
    if (covered) return this.grid.focusSelected();
    await this.go({ seed: "none" });
  }

  key(event) {
    if (!this.now || event.altKey || event.ctrlKey || event.metaKey) return;
    const field = event.target.closest("input,textarea,select,[contenteditable]");
    if (field && !field.matches(".tau-slider")) return;
    const act = this.keys()[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  keys() {
    return {
      ArrowLeft: () => this.move(-1),
      ArrowRight: () => this.move(1),
      j: () => this.along(1),
      k: () => this.along(-1),
      c: () => this.go({ show: this.now.show === "copies" ? null : "copies" }),
      Escape: () => this.close(),
    };
  }

  move(by) {
    const list = this.view.checkpoints;
    const at = list.findIndex((item) => item.step === this.chosen().step);
    const to = list[Math.max(0, Math.min(list.length - 1, (at < 0 ? list.length : at) + by))];
    return to && this.go({ step: to.step });
  }

  async along(by) {
    const { order, seed } = this.now;
    const at = order.indexOf(seed);
    const to = order[Math.max(0, Math.min(order.length - 1, at < 0 ? 0 : at + by))];
    if (to === undefined) return;
    await this.select(to, false);
    this.grid.reveal();
  }
}

// The sample that is enlarged: the one in the address, else the first; none where it was closed.
function pick(samples, order, asked) {
  if (!samples || asked === "none") return null;
  return asked !== null && asked < samples.n_generated ? asked : (order[0] ?? null);
}

function state({ title, detail }, ...actions) {
  return h("div", { class: "tau-surface tau-empty", role: "status" }, h("b", {}, title), detail && h("p", {}, detail), ...actions);
}
