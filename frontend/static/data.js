// Data sets: cards from the service, and a form whose archive goes there as it is read, past Streamlit.

import { fetchJson, onNavigate, patch, showSlots } from "./shell.js";

export function mount(root, data, send) {
  const page = root.tauData ?? (root.tauData = new Data(root, data));
  page.send = send;
  page.refresh();
}

class Data {
  constructor(root, { form }) {
    this.root = root;
    this.regions = Object.fromEntries([...root.querySelectorAll("[data-region]")].map((node) => [node.dataset.region, node]));
    patch(this.regions.form, form);
    this.form = root.querySelector("form");
    onNavigate(root, (name, value) => this.send(name, value));
    root.addEventListener("click", (event) => {
      const asked = event.target.closest("[data-remove]");
      if (asked) this.send("remove", asked.dataset.remove);
    });
    this.form.addEventListener("change", () => this.choose());
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.register();
    });
  }

  get from() {
    return this.form.elements.from.value;
  }

  choose() {
    for (const part of this.form.querySelectorAll("[data-when]")) part.hidden = part.dataset.when !== this.from;
  }

  async refresh() {
    const view = await fetchJson("/view/datasets", this.regions.notice);
    for (const [name, html] of Object.entries(view?.regions ?? {})) patch(this.regions[name], html);
    if (view) showSlots(view.slots);
    this.root.dataset.ready = "yes";
  }

  async register() {
    this.fault([]);
    const words = Object.fromEntries(["name", "description", "licence", "attribution"].map((name) => [name, this.form.elements[name].value.trim()]));
    const file = this.form.elements.file.files[0];
    if (!words.name) return this.fault([{ path: "name", message: "is empty", remedy: "Give it a name to launch it by" }]);
    if (this.from === "file" && !file) return this.fault([{ path: "path", message: "no archive is chosen", remedy: "Choose a .zip file of images" }]);
    this.busy(true);
    const answer = await (this.from === "file" ? this.upload(words, file) : this.point(words));
    this.busy(false);
    if (!answer.ok) return this.refused(answer);
    this.form.reset();
    this.choose();
    this.say(`${words.name} is registered: ${answer.body.n_images.toLocaleString("en")} images.`);
    await this.refresh();
  }

  upload({ name, ...words }, file) {
    const query = new URLSearchParams({ file: file.name, ...words });
    return this.ask("PUT", `/api/v1/datasets/${encodeURIComponent(name)}/archive?${query}`, file, "application/zip");
  }

  point(words) {
    const body = JSON.stringify({ ...words, path: this.form.elements.path.value.trim() });
    return this.ask("POST", "/api/v1/datasets", body, "application/json");
  }

  // fetch() does not tell how much has gone.
  ask(method, url, body, type) {
    return new Promise((resolve) => {
      const request = new XMLHttpRequest();
      request.open(method, url);
      request.setRequestHeader("content-type", type);
      request.upload.onprogress = ({ loaded, total }) => this.say(loaded < total ? `${Math.floor((100 * loaded) / total)} % sent` : "Sent; the images are read");
      const done = () => resolve({ ok: request.status === 201, body: parsed(request.responseText) });
      request.onload = done;
      request.onerror = done;
      request.send(body);
    });
  }

  refused({ body }) {
    this.say("");
    const faults = body.errors?.length ? body.errors : [{ path: "path", message: body.detail ?? "The dashboard does not answer", remedy: body.remedy ?? "Try it again" }];
    this.fault(faults.map((fault) => ({ ...fault, path: fault.path.split(".").at(-1) })));
  }

  // Each at its field; what belongs to none stands at the images.
  fault(faults) {
    const places = [...this.form.querySelectorAll("[data-fault]")];
    for (const place of places) {
      const known = places.some((other) => faults.some((fault) => fault.path === other.dataset.fault));
      const mine = faults.filter((fault) => fault.path === place.dataset.fault || (!known && place.dataset.fault === "path"));
      place.hidden = !mine.length;
      place.textContent = mine.map((fault) => `${fault.message}. ${fault.remedy}`).join(" ");
    }
    this.say("");
  }

  busy(yes) {
    this.form.querySelector("[type=submit]").disabled = yes;
  }

  say(words) {
    this.form.querySelector("[role=status]").textContent = words;
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
