// Runs in every document before Streamlit: what its page needs in any case is asked for while Streamlit begins.

// The module of each page's live region, and whether it draws.
const PAGES = {
  experiments: ["list.js", false],
  experiment: ["live.js", true],
  law: ["law.js", true],
  phase: ["phase.js", true],
  probes: ["probes.js", true],
  score: ["score1d.js", true],
  compare: ["compare.js", true],
  forecasts: ["figure.js", true],
  inspect: ["inspect.js", false],
  system: ["system.js", false],
};
// An answer that nobody took by then was asked for on behalf of a page that never came.
const KEPT_MS = 15_000;

const asked = new Map();

// The answer to a question that was asked early, once.
export function takeEarly(url) {
  const answer = asked.get(url);
  asked.delete(url);
  return answer;
}

// The address of the list's rows for what a page's own address asks for.
export function rowsAddress(query, theme) {
  const chosen = ["q", "state", "data", "tag", "rows"].map((name) => [name, query.get(name) ?? ""]);
  return `/view/experiments?${new URLSearchParams([...chosen, ["theme", theme]])}`;
}

function ask(url) {
  const answer = fetch(url, { credentials: "same-origin" });
  answer.catch(() => {}); // Whoever takes it tells of the failure.
  asked.set(url, answer);
  setTimeout(() => asked.delete(url), KEPT_MS);
}

// Have the module of a page and what it draws with ready; without them it comes later, as ever.
export async function prepare(page) {
  const [module, draws] = PAGES[page] ?? [];
  if (!module) return;
  const loaded = [import(`./${module}`), draws ? import("./shell.js").then(({ ensurePlotly }) => ensurePlotly()) : null];
  await Promise.allSettled(loaded);
}

const page = window.location.pathname.slice(1) || "experiments";
const dark = window.matchMedia("(prefers-color-scheme: dark)").matches;
if (page === "experiments") ask(rowsAddress(new URLSearchParams(window.location.search), dark ? "dark" : "light"));
// Not before Streamlit speaks to its server: while it waits for the answer nothing else has to be done.
const begun = new PerformanceObserver((seen) => {
  if (!seen.getEntries().some(({ name }) => name.includes("/_stcore/"))) return;
  begun.disconnect();
  for (const part of document.querySelector("script[data-parts]").dataset.parts.split(" ")) import(part).catch(() => {});
  prepare(page);
});
begun.observe({ type: "resource" });
