// From page to page: Streamlit takes a page away before the next one has anything to show. What was there stays until the next is drawn;
// after a while it is dimmed, or, where the next page has the same header, only header and axes are left of it.

const PATIENCE_MS = 400;
const GIVE_UP_MS = 10_000;
const BLOCK = "[data-testid=stMainBlockContainer] > [data-testid=stVerticalBlock]:not(.tau-kept)";
const SHARE_A_HEADER = ["/experiment", "/law", "/interventions", "/probes", "/spectrum", "/mixture", "/closed", "/score", "/inspect", "/run"];
const WITHOUT_REGION = '[class*="st-key-notice"], .st-key-compare-empty';

// A page is gone when its live region is: only then anything is kept, and what Streamlit replaces within a page is left alone.
const observer = new MutationObserver((records) => {
  const removed = records.flatMap((record) => [...record.removedNodes]).filter((node) => node.nodeType === Node.ELEMENT_NODE);
  if (removed.some((node) => node.querySelector(".tau-root[data-ready]"))) keep(removed);
});

let observed;

function observe() {
  const block = document.querySelector(BLOCK);
  if (!block || block === observed) return;
  observed = block;
  observer.disconnect();
  observer.observe(block, { childList: true });
}

// The removed nodes themselves go back onto the page, in front of what comes: nothing is copied, and canvases keep their pictures.
function keep(nodes) {
  document.querySelector(".tau-kept")?.remove();
  const kept = document.createElement("div");
  kept.className = `${observed.className} tau-kept`;
  kept.dataset.testid = observed.dataset.testid;
  kept.inert = true;
  kept.append(...nodes);
  observed.after(kept);
  const since = performance.now();
  const look = () => {
    const waited = performance.now() - since;
    if (isDrawn(waited > PATIENCE_MS) || waited > GIVE_UP_MS) return kept.remove();
    const shared = SHARE_A_HEADER.includes(window.location.pathname) && kept.querySelector('[data-region="header"]');
    kept.classList.toggle("tau-dimmed", waited > PATIENCE_MS && !shared);
    kept.classList.toggle("tau-framed", waited > PATIENCE_MS && Boolean(shared));
    setTimeout(look, 16);
  };
  look();
}

// Whether the next page shows something: all of it at first; after a while a header, under which it has axes of its own, is enough.
function isDrawn(patienceIsOver) {
  const begun = patienceIsOver ? '.tau-root [data-region="header"]:not(:empty), ' : "";
  return Boolean(observed.querySelector(`${begun}.tau-root[data-ready], ${WITHOUT_REGION}`));
}

// The page's block is there once Streamlit has begun, and could be another one later.
const beginning = new MutationObserver(() => {
  observe();
  if (observed) beginning.disconnect();
});
beginning.observe(document.getElementById("root"), { childList: true, subtree: true });
for (const event of ["click", "keydown", "popstate"]) window.addEventListener(event, observe, { capture: true });
