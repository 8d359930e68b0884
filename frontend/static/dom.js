// Elements made in the browser: text stays text, whatever it holds.

export function h(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key === "on") for (const [event, call] of Object.entries(value)) node.addEventListener(event, call);
    else if (key === "style") Object.assign(node.style, value);
    else node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

// d with its index, as in d1/d2.
export function sub(letter, index) {
  return h("span", {}, letter, h("sub", {}, index));
}

// A segmented control: one of several options is pressed.
export function segments(label, options, chosen, choose) {
  const buttons = options.map(([value, words]) =>
    h("button", { type: "button", class: "tau-segment", "data-focus": `${label}-${value}`, "aria-pressed": String(value === chosen), on: { click: () => choose(value) } }, words),
  );
  return h("div", { class: "tau-segments", role: "group", "aria-label": label }, ...buttons);
}

// Put new children into a node and give the focus back to what had it.
export function refill(node, ...children) {
  const mark = node.contains(document.activeElement) ? document.activeElement.dataset.focus : undefined;
  node.replaceChildren(...children.filter((child) => child !== null && child !== undefined && child !== false));
  if (mark !== undefined) node.querySelector(`[data-focus="${CSS.escape(mark)}"]`)?.focus();
}

// What a sample is compared with: an image, or a window of a time series.
export const noun = (samples) => (samples?.window_channels ? "window" : "image");

export const steps = (value) => Math.round(value).toLocaleString("en");

// Three significant digits, as frontend/words.py writes them.
export function number(value) {
  return Math.abs(value) >= 100 ? Math.round(value).toLocaleString("en") : String(Number(value.toPrecision(3)));
}
