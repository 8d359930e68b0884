// What every live region shares: plotly.js from our own origin, fetching with a notice when it fails, the theme, links.

import { prepare, takeEarly } from "./early.js";

// What every chart of a page offers beside itself.
export const CHART_CONFIG = { displaylogo: false, responsive: false, displayModeBar: "hover", modeBarButtons: [["zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "resetScale2d"]] };

let plotly;

export function ensurePlotly() {
  plotly ??= new Promise((resolve, reject) => {
    if (window.Plotly) return resolve(window.Plotly);
    const script = document.createElement("script");
    script.src = "/assets/plotly.min.js";
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => reject(new Error("plotly.js did not load"));
    document.head.append(script);
  });
  return plotly;
}

// JSON, or null with the problem and its remedy shown in the notice.
export async function fetchJson(url, notice) {
  let answer;
  try {
    answer = await (takeEarly(url) ?? fetch(url, { credentials: "same-origin" }));
  } catch {
    tell(notice, "The dashboard does not answer.", "It is tried again by itself.");
    return null;
  }
  if (answer.ok) {
    tell(notice, "", "");
    return answer.json();
  }
  if (answer.status === 401) window.location.assign("/login");
  const problem = await answer.json().catch(() => ({}));
  tell(notice, problem.detail ?? problem.title ?? `Error ${answer.status}`, problem.remedy ?? "");
  return null;
}

function tell(notice, what, remedy) {
  if (!notice) return;
  notice.hidden = !what;
  notice.textContent = what ? `${what} ${remedy}` : "";
}

// The word in the top bar, which belongs to no region.
export function showSlots(words) {
  const node = document.querySelector("#tau-slots");
  if (node && words && node.textContent !== words) node.textContent = words;
}

const FOCUSABLE = "button,a,input,summary,[tabindex]";

const markOf = (item) => item.dataset.focus ?? item.dataset.action ?? item.dataset.go ?? item.getAttribute("href");

// Replace a region only when it says something new; what was open, scrolled or had the focus is so again.
export function patch(region, html) {
  if (!region || region.tauHtml === html) return;
  const all = (selector) => [...region.querySelectorAll(selector)];
  const place = all(FOCUSABLE).indexOf(document.activeElement);
  const mark = place >= 0 ? markOf(document.activeElement) : null;
  const open = all("details").map((item) => item.open);
  const scrolled = all(".tau-scrolls").map((item) => item.scrollLeft);
  region.tauHtml = html;
  region.innerHTML = html;
  all("details").forEach((item, index) => (item.open = open[index] ?? item.open));
  all(".tau-scrolls").forEach((item, index) => (item.scrollLeft = scrolled[index] ?? 0));
  if (place >= 0) (mark ? all(FOCUSABLE).find((item) => markOf(item) === mark) : all(FOCUSABLE)[place])?.focus({ preventScroll: true });
}

// The theme that the page's style was made for.
export function themeName() {
  return getComputedStyle(document.documentElement).getPropertyValue("--tau-theme").trim() || "light";
}

export function onThemeChange(call) {
  const media = window.matchMedia("(prefers-color-scheme: dark)");
  const later = () => setTimeout(call, 300);
  media.addEventListener("change", later);
  return () => media.removeEventListener("change", later);
}

// T shows the charts alone, and T again the page; not while something is being typed.
export function onTalkKey(toggle) {
  const press = (event) => {
    if (event.key.toLowerCase() !== "t" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (!event.target.closest?.("input:not([type=range]),textarea,select,[contenteditable=true]")) toggle();
  };
  document.addEventListener("keydown", press);
  return () => document.removeEventListener("keydown", press);
}

// Plain clicks on our own links stay in this session; with a modifier they remain links.
export function onNavigate(root, send) {
  root.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
    const target = event.target.closest("[data-go]");
    if (!target || (event.target.closest("a,button,input") && event.target.closest("a,button,input") !== target)) return;
    event.preventDefault();
    send("go", target.dataset.go);
    prepare(new URL(target.dataset.go, window.location.href).pathname.slice(1));
  });
}
