"""The header that experiment and inspect share: name, state, settings, actions, tabs."""

from urllib.parse import urlencode

from frontend.charts.law import scales_with
from frontend.charts.reading import kind_of
from frontend.markup.html import Html, join, tag
from frontend.markup.icons import state_icon
from frontend.markup.settings import settings_line
from frontend.markup.state import elapsed, is_live, progress, requests, status_of, time_left
from tauscope.contracts.experiments import ExperimentView
from tauscope.specs import KINDS

# Pages and buttons for what only some kinds of experiment have.
_TRAINED = frozenset(kind for kind, spec in KINDS.items() if spec.TRAINS)
_ONLY_OF = {page: frozenset({"image_ddpm"}) for page in ("probes", "spectrum")} | {
    "experiment": _TRAINED,
    "extend": _TRAINED,
    "mixture": frozenset({"gmm", "gmm_conditional"}),
    "closed": frozenset({"random_features", "rf_spectrum"}),
    "score": frozenset({"score_1d"}),
    "inspect": frozenset({"image_ddpm", "timeseries"}),
    "twin": frozenset({"image_ddpm"}),
}
# What a law or a diagram is over, or what a mean is taken over, is no setting that two runs are compared by.
_NO_SETTING = frozenset({"seed", "n_train", "dataset.n_train", "width", "network.base_width", "psi_n", "psi_p"})
TABS = (
    ("experiment", "Watch"),
    ("law", "Law"),
    ("phase", "Phase diagram"),
    ("interventions", "Interventions"),
    ("probes", "Probes"),
    ("spectrum", "Spectrum"),
    ("mixture", "Mixture"),
    ("closed", "Closed form"),
    ("score", "Score"),
    ("inspect", "Inspect"),
)


def address(page: str, **params: object) -> str:
    """The address of a page with what is shown on it."""
    given = {key: value for key, value in params.items() if value is not None}
    return f"/{page}?{urlencode(given)}" if given else f"/{page}"


def title_row(experiment: ExperimentView) -> Html:
    """Name and state."""
    status = status_of(experiment)
    words = f"{status.title}, {status.detail}"
    pill = tag(
        "span", state_icon(status.state, stale=status.stale), words, class_=f"tau-pill tau-{'stale' if status.stale else status.state}"
    )
    return tag("div", tag("h1", experiment.name, class_="tau-title", title=experiment.summary or None), pill, class_="tau-title-row")


def header(experiment: ExperimentView, *, tab: str, run_id: str | None = None) -> Html:
    """The whole header."""
    left = tag("div", title_row(experiment), settings_line(experiment))
    left_words = time_left(experiment) or f"{100 * progress(experiment):.0f} % of all steps"
    times = tag("div", tag("span", elapsed(experiment)), tag("b", left_words) if is_live(experiment) else None, class_="tau-times")
    actions: list[object] = [times]
    actions += [tag("button", name.capitalize(), class_="tau-button", type="button", data_action=name) for name in _offered(experiment)]
    more = address("launch", grow=experiment.id)
    actions.append(tag("a", "Add runs", class_="tau-button", href=more, data_go=more))
    actions.append(tag("a", "Export", class_="tau-button", href=f"/api/v1/experiments/{experiment.id}/export", download=True))
    row = tag("div", left, tag("div", *actions, class_="tau-actions"), class_="tau-header-row")
    # Below the tabs: the controls beside them stand where a header of two lines ends.
    return join(row, _tabs(experiment, tab, run_id), _open_research(experiment))


def _offered(experiment: ExperimentView) -> list[str]:
    return [name for name in requests(experiment) if offers(name, kind_of(experiment))]


def _open_research(experiment: ExperimentView) -> Html | None:
    if kind_of(experiment) != "timeseries":
        return None
    return tag(
        "div",
        "Open research: the paper has images alone. What is measured on these windows says nothing of series in general.",
        class_="tau-settings",
    )


def _tabs(experiment: ExperimentView, current: str, run_id: str | None) -> Html:
    hrefs = {
        "experiment": address("experiment", id=experiment.id),
        "law": address("law", id=experiment.id),
        "phase": address("phase", id=experiment.id),
        "interventions": address("interventions", id=experiment.id),
        "probes": address("probes", id=experiment.id),
        "spectrum": address("spectrum", id=experiment.id),
        "mixture": address("mixture", id=experiment.id),
        "closed": address("closed", id=experiment.id),
        "score": address("score", id=experiment.id),
        "inspect": address("inspect", run=run_id or experiment.runs[0].id),
    }
    # Without two values of n or W there is no law to show, and without two of both no diagram.
    varies = [len({getattr(run, name) for run in experiment.runs}) > 1 for name in ("n_train", "width")]
    shown = {
        "law": bool(scales_with(experiment)),
        "phase": all(varies),
        "interventions": any(set(run.params) - _NO_SETTING for run in experiment.runs) or bool(experiment.sweep.get("again")),
        **{page: offers(page, kind_of(experiment)) for page in _ONLY_OF},
    }
    hidden = {page for page, there in shown.items() if not there and page != current}
    links = [
        tag("a", words, href=hrefs[page], class_="tau-tab", data_go=hrefs[page], aria_current="page" if page == current else None)
        for page, words in TABS
        if page not in hidden
    ]
    return tag("nav", *links, class_="tau-tabs", aria_label="Views of this experiment")


def offers(page: str, kind: str) -> bool:
    """Whether a kind of experiment has a page, or what only some kinds have."""
    return kind in _ONLY_OF.get(page, {kind})
