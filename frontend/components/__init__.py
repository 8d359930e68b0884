"""Live regions of pages: Streamlit components whose JavaScript is served from our own origin."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from frontend.assets import assets

# Streamlit calls this again with every change of data or theme; the module keeps one instance per element. The
# modules come by URL so that they can import each other.
_LOADER = """
export default async function ({ data, parentElement, setTriggerValue }) {
  const module = await import(new URL("%(assets)s/%(module)s.js", window.location.origin).href);
  return module.mount(parentElement.querySelector(".tau-root"), data, setTriggerValue);
}
"""

_WATCH = """
<div class="tau-root tau-watch">
  <div class="tau-offline" data-region="notice" role="status" hidden></div>
  <div class="tau-offline" data-region="stream" role="status" hidden></div>
  <div data-region="header"></div>
  <div class="tau-columns">
    <div class="tau-main">
      <div class="tau-finding" data-region="finding" aria-live="polite"></div>
      <div class="tau-surface tau-chart" data-region="chart" role="figure"></div>
      <div data-region="keys"></div>
      <details class="tau-details" data-region="tables"><summary>Data table</summary><div></div></details>
    </div>
    <div class="tau-side" data-region="side"></div>
  </div>
</div>
"""

_LAW = """
<div class="tau-root tau-law">
  <div class="tau-offline" data-region="notice" role="status" hidden></div>
  <div data-region="header"></div>
  <div class="tau-finding" data-region="finding" aria-live="polite"></div>
  <div class="tau-pair-of-charts">
    <section class="tau-surface">
      <div data-region="slider"></div>
      <div class="tau-chart tau-collapse" data-chart="collapse" role="figure"></div>
    </section>
    <section class="tau-surface">
      <div class="tau-a-row tau-keys" data-region="law_keys"></div>
      <div class="tau-chart" data-chart="law" role="figure"></div>
    </section>
  </div>
  <div class="tau-score" data-region="collapse_words"></div>
  <div data-region="table"></div>
</div>
"""

_PROBES = """
<div class="tau-root tau-probes">
  <div class="tau-offline" data-region="notice" role="status" hidden></div>
  <div data-region="header"></div>
  <div class="tau-finding" data-region="finding" aria-live="polite"></div>
  <section class="tau-surface"><div class="tau-chart" data-chart="probes" role="figure"></div></section>
  <div data-region="keys"></div>
  <div data-region="table"></div>
</div>
"""

_PHASE = """
<div class="tau-root tau-phase">
  <div class="tau-offline" data-region="notice" role="status" hidden></div>
  <div data-region="header"></div>
  <div class="tau-finding" data-region="finding" aria-live="polite"></div>
  <section class="tau-surface"><div class="tau-chart" data-chart="phase" role="figure"></div></section>
  <div data-region="keys"></div>
  <div data-region="cell" aria-live="polite"></div>
  <div data-region="exploration"></div>
  <div data-region="table"></div>
</div>
"""


def _figures_of_a_run(view: str, *charts: str) -> str:
    """The body of a page that `static/spectrum.js` fills: what is found, then figures of one run, without those not measured."""
    slots = "".join(f'<div class="tau-chart" data-chart="{name}" role="figure"></div>' for name in charts)
    return f"""
<div class="tau-root tau-spectrum" data-view="{view}">
  <div class="tau-offline" data-region="notice" role="status" hidden></div>
  <div data-region="header"></div>
  <div class="tau-finding" data-region="finding" aria-live="polite"></div>
  <section class="tau-surface">{slots}</section>
  <div data-region="keys"></div>
  <div data-region="table"></div>
</div>
"""


_SCORE = """
<div class="tau-root tau-scores">
  <div class="tau-offline" data-region="notice" role="status" hidden></div>
  <div data-region="header"></div>
  <div class="tau-finding" data-region="finding" aria-live="polite"></div>
  <section class="tau-surface">
    <div class="tau-chart" data-chart="scores" role="figure"></div>
    <div class="tau-player">
      <button type="button" class="tau-button" data-play aria-pressed="false">Play</button>
      <input class="tau-slider" type="range" min="0" step="1" aria-label="Checkpoint, training time τ">
      <output data-shown></output>
    </div>
    <div class="tau-chart" data-chart="errors" role="figure"></div>
  </section>
  <div data-region="keys"></div>
  <div data-region="table"></div>
</div>
"""


_SPECTRUM = _figures_of_a_run("spectrum", "bands", "components", "grid")
_MIXTURE = _figures_of_a_run("mixture", "alpha", "scores", "distances")
_INTERVENTIONS = _figures_of_a_run("interventions", "settings")
_CLOSED = _figures_of_a_run("closed", "curves", "modes", "map", "density")

_LIST = """
<div class="tau-root tau-list">
  <div class="tau-offline" data-region="notice" role="status" hidden></div>
  <div class="tau-picked" data-region="picked" role="status" hidden></div>
  <div class="tau-surface" data-region="rows"></div>
</div>
"""

_COMPARE = """
<div class="tau-root tau-compare">
  <div class="tau-offline" data-region="notice" role="status" hidden></div>
  <div class="tau-offline" data-region="stream" role="status" hidden></div>
  <div class="tau-compare-head">
    <div data-region="chosen"></div>
    <button type="button" class="tau-button tau-primary" data-take="svg" data-focus="export">Export figure</button>
  </div>
  <div class="tau-finding" data-region="finding" aria-live="polite"></div>
  <div data-region="notices"></div>
  <div class="tau-surface tau-chart" data-region="chart" role="figure"></div>
  <div data-region="keys"></div>
  <div data-region="tables"></div>
  <details class="tau-details" data-region="numbers"><summary>Data table</summary><div></div></details>
</div>
"""

_INSPECT = """
<div class="tau-root tau-inspect">
  <div class="tau-offline" data-region="notice" role="status" hidden></div>
  <div data-region="header"></div>
  <div class="tau-inspect-bar">
    <div data-region="runs"></div>
    <div class="tau-finding" data-region="finding" aria-live="polite"></div>
    <div data-region="link"></div>
  </div>
  <div class="tau-columns tau-over-time">
    <section class="tau-surface tau-strip" aria-label="Checkpoints">
      <div data-region="curves"></div>
      <input class="tau-slider" type="range" min="0" aria-label="Checkpoint, training time τ">
      <svg class="tau-links" data-region="links" preserveAspectRatio="none" aria-hidden="true"></svg>
      <div class="tau-frames" data-region="frames"></div>
    </section>
    <section class="tau-card tau-board" data-region="board" aria-label="Most copied of the training set">
      <div class="tau-pair-head"><b>Most copied of the training set</b></div>
    </section>
  </div>
  <div class="tau-columns">
    <div class="tau-main">
      <div class="tau-filters" data-region="filters"></div>
      <div data-region="about"></div>
      <p class="tau-label">Each card: generated, nearest of the training set, and (small) the second-nearest.
        Bar: gap ratio d<sub>1</sub>/d<sub>2</sub>, tick at 1/3.</p>
      <div data-region="state"></div>
      <div class="tau-grid" data-region="grid" role="listbox" aria-label="Samples"></div>
    </div>
    <div class="tau-side tau-detail">
      <div data-region="detail"></div>
      <p class="tau-label tau-key-help"><kbd>←</kbd> <kbd>→</kbd> checkpoint <kbd>J</kbd> <kbd>K</kbd> sample
        <kbd>C</kbd> copies only <kbd>Enter</kbd> enlarge <kbd>Esc</kbd> close</p>
    </div>
  </div>
</div>
"""

_SYSTEM = """
<div class="tau-root tau-system">
  <div class="tau-offline" data-region="notice" role="status" hidden></div>
  <div class="tau-finding" data-region="finding" aria-live="polite"></div>
  <div class="tau-columns">
    <div class="tau-main"><div data-region="main"></div></div>
    <div class="tau-side"><div data-region="side"></div></div>
  </div>
</div>
"""

_DATA = """
<div class="tau-root tau-data">
  <div class="tau-offline" data-region="notice" role="status" hidden></div>
  <div class="tau-finding" data-region="finding" aria-live="polite"></div>
  <div class="tau-columns">
    <div class="tau-main"><div data-region="cards"></div></div>
    <div class="tau-side"><div data-region="form"></div></div>
  </div>
</div>
"""

_FIGURE = """
<div class="tau-root tau-one-figure %s">
  <div class="tau-offline" data-region="notice" role="status" hidden></div>
  <div class="tau-finding" data-region="finding" aria-live="polite"></div>
  <div class="tau-surface tau-chart" data-region="chart" role="figure"></div>
  <div data-region="table"></div>
</div>
"""

_RUN = """
<div class="tau-root tau-run">
  <div class="tau-offline" data-region="notice" role="status" hidden></div>
  <div data-region="header"></div>
  <div data-region="standing"></div>
  <div data-region="keep"></div>
</div>
"""

_HISTORY = """
<div class="tau-root tau-run">
  <div data-region="averages"></div>
  <div data-region="checkpoints"></div>
  <div data-region="forecasts"></div>
  <div data-region="theory"></div>
  <div data-region="attempts"></div>
  <div data-region="events"></div>
</div>
"""

_BODY = """
<div class="tau-root">
  <div data-region="body"></div>
</div>
"""

Callback = Callable[[], None]


def _register(name: str, html: str, module: str) -> Callable[..., Any]:
    js = _LOADER % {"assets": assets(), "module": module}
    return st.components.v2.component(f"tauscope.{name}", html=html, js=js, isolate_styles=False)


def _ignore() -> None:
    """Streamlit learns a trigger's name from its callback; what the trigger says is read from the result."""


# The buttons of the header that every view of an experiment shares.
_REQUESTS: dict[str, Callback] = {"pause": _ignore, "resume": _ignore, "stop": _ignore, "extend": _ignore}

_OF_A_RUN: dict[str, Callback] = {"inspect": _ignore, "twin": _ignore, "go": _ignore}


def _mount(name: str, html: str, module: str, data: dict[str, Any], triggers: dict[str, Callback]) -> Any:
    callbacks = {f"on_{trigger}_change": callback for trigger, callback in triggers.items()}
    return _register(name, html, module)(key=name, data=data, **callbacks)


def watch(data: dict[str, Any], *, focus: Callback, seeds: Callback, talk: Callback) -> Any:
    """The watch page's live body; triggers ``focus``, ``seeds``, ``talk``, ``inspect``, ``twin``, ``go`` and those of the header."""
    chosen = {"focus": focus, "seeds": seeds, "talk": talk, **_OF_A_RUN}
    return _mount("watch", _WATCH, "live", data, chosen | _REQUESTS)


def law(data: dict[str, Any], *, a: Callback, b: Callback, talk: Callback) -> Any:
    """The law page's live body; triggers ``a`` and ``b``, the exponents, ``talk``, ``go`` and those of the header."""
    return _mount("law", _LAW, "law", data, {"a": a, "b": b, "talk": talk, "go": _ignore} | _REQUESTS)


def compare(data: dict[str, Any], *, focus: Callback, drop: Callback) -> Any:
    """The compare page's live body; triggers ``focus``, ``drop``, ``go``."""
    return _mount("compare", _COMPARE, "compare", data, {"focus": focus, "drop": drop, "go": _ignore})


def probes(data: dict[str, Any], *, talk: Callback) -> Any:
    """The probes page's live body; triggers ``talk``, ``go`` and those of the header."""
    return _mount("probes", _PROBES, "probes", data, {"talk": talk, "go": _ignore} | _REQUESTS)


def closed(data: dict[str, Any], *, talk: Callback) -> Any:
    """The live body of the page of a closed form; triggers ``talk``, ``go`` and those of the header."""
    return _mount("closed", _CLOSED, "spectrum", data, {"talk": talk, "go": _ignore} | _REQUESTS)


def spectrum(data: dict[str, Any], *, talk: Callback) -> Any:
    """The spectrum page's live body; triggers ``talk``, ``go`` and those of the header."""
    return _mount("spectrum", _SPECTRUM, "spectrum", data, {"talk": talk, "go": _ignore} | _REQUESTS)


def mixture(data: dict[str, Any], *, talk: Callback) -> Any:
    """The mixture page's live body; triggers ``talk``, ``go`` and those of the header."""
    return _mount("mixture", _MIXTURE, "spectrum", data, {"talk": talk, "go": _ignore} | _REQUESTS)


def interventions(data: dict[str, Any]) -> Any:
    """The interventions page's live body; triggers ``go`` and those of the header."""
    return _mount("interventions", _INTERVENTIONS, "spectrum", data, {"talk": _ignore, "go": _ignore} | _REQUESTS)


def score(data: dict[str, Any], *, at: Callback, talk: Callback) -> Any:
    """The score page's live body; triggers ``at``, a training time, ``talk``, ``go`` and those of the header."""
    return _mount("score", _SCORE, "score1d", data, {"at": at, "talk": talk, "go": _ignore} | _REQUESTS)


def phase(data: dict[str, Any], *, cell: Callback, talk: Callback) -> Any:
    """The phase diagram's live body; triggers ``cell``, ``talk``, ``go`` and those of the header."""
    return _mount("phase", _PHASE, "phase", data, {"cell": cell, "talk": talk, "go": _ignore} | _REQUESTS)


def experiment_list(data: dict[str, Any], *, more: Callback, pick: Callback) -> Any:
    """The list of experiments; triggers ``go``, ``manage``, ``more``, ``pick``."""
    return _mount("list", _LIST, "list", data, {"go": _ignore, "manage": _ignore, "more": more, "pick": pick})


def inspect(data: dict[str, Any]) -> Any:
    """Samples of a run beside their training images; triggers ``go`` and those of the header."""
    return _mount("inspect", _INSPECT, "inspect", data, {"go": _ignore} | _REQUESTS)


def system(data: dict[str, Any]) -> Any:
    """The state of the service; trigger ``go``."""
    return _mount("system", _SYSTEM, "system", data, {"go": _ignore})


def data_sets(data: dict[str, Any]) -> Any:
    """Data sets and the form that registers one; triggers ``remove`` and ``go``."""
    return _mount("data", _DATA, "data", data, {"remove": _ignore, "go": _ignore})


def forecasts() -> Any:
    """How forecasts turned out; trigger ``go``."""
    return _mount("forecasts", _FIGURE % "tau-forecasts", "figure", {"view": "/view/forecasts"}, {"go": _ignore})


def agreement(run_id: str) -> Any:
    """How far a run and its twin agree; trigger ``go``."""
    return _mount("agreement", _FIGURE % "tau-agreement", "figure", {"view": f"/view/runs/{run_id}/twin"}, {"go": _ignore})


def remeasured(run_id: str, seq: int) -> Any:
    """What was measured again of a run, fetched anew whenever ``seq`` changes; trigger ``go``."""
    view = f"/view/runs/{run_id}/remeasured/{seq}"
    return _mount("remeasured", _FIGURE % "tau-remeasured", "figure", {"view": view}, {"go": _ignore})


def cards(data: dict[str, Any], *, choose: Callback) -> Any:
    """HTML made in Python with buttons and links; triggers ``choose`` and ``go``."""
    return _mount("cards", _BODY, "cards", data, {"choose": choose, "go": _ignore})


def run(data: dict[str, Any]) -> Any:
    """Where a run stands, live; triggers ``changed`` when it offers something else than before, ``go`` and those of the header."""
    return _mount("run", _RUN, "run", data, {"changed": _ignore, "go": _ignore} | _REQUESTS)


def history(data: dict[str, Any]) -> Any:
    """What happened to a run, kept up to date by ``run`` on the same page; trigger ``go``."""
    return _mount("history", _HISTORY, "run", data, {"go": _ignore})


def copying(data: dict[str, Any]) -> Any:
    """HTML made in Python with buttons that copy; it triggers nothing."""
    return _mount("copying", _BODY, "cards", data, {})
