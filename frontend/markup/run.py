"""What happened to a run: where it stands, who computed it, and why it changed its state."""

from collections.abc import Sequence
from datetime import UTC, datetime

from frontend.markup.header import address
from frontend.markup.html import Html, tag
from frontend.words import DASH, duration, steps
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.run_views import AttemptView, RunEventView, RunView


def run_history(experiment: ExperimentView, run: RunView, attempts: Sequence[AttemptView], events: Sequence[RunEventView]) -> Html:
    """The whole page."""
    back = tag("a", experiment.name, href=address("experiment", id=experiment.id))
    return tag(
        "div",
        tag("h1", back, f" · {run.label or run.id}", class_="tau-title"),
        _facts(run),
        _section("Attempts", _table(_ATTEMPT_COLUMNS, [_attempt_cells(item) for item in attempts], "No worker has claimed it yet.")),
        _section("Events", _table(("At, UTC", "Event", "Why"), [_event_cells(event) for event in events], "None yet.")),
        class_="tau-run",
    )


_ATTEMPT_COLUMNS = ("Attempt", "Worker", "Started, UTC", "Took", "Steps", "Computed again", "Ended", "Code version")


def _facts(run: RunView) -> Html:
    facts = [
        f"{run.state}, τ {steps(run.step)} of {steps(run.steps)}",
        f"held by {run.worker}" if run.worker else "held by no worker",
        f"priority {run.priority}, queue {run.queue}",
        *(text for text in (run.waiting, undrawn(run.unevaluated), run.reason, run.code_note) if text),
    ]
    return tag("div", *[tag("p", fact) for fact in facts])


def undrawn(checkpoints: int) -> str:
    """How many checkpoints wait for their samples, in words; empty for none."""
    return f"the samples of {checkpoints} checkpoint{'s' * (checkpoints > 1)} are still to be drawn" if checkpoints else ""


def _attempt_cells(item: AttemptView) -> tuple[object, ...]:
    took = duration(max(0.0, item.ended_at - item.started_at)) if item.ended_at is not None else DASH
    code = item.code_version if item.resumed_version in (None, item.code_version) else f"{item.code_version} after {item.resumed_version}"
    spread = f"{steps(item.from_step)} to {steps(item.to_step)}"
    return item.epoch, item.worker, _moment(item.started_at), took, spread, steps(item.rewound), item.outcome or "goes on", code


def _event_cells(event: RunEventView) -> tuple[object, ...]:
    first, _, more = event.detail.partition("\n")
    why = tag("details", tag("summary", first), tag("pre", more)) if more else first
    return _moment(event.at), event.name.replace("_", " "), why


def _section(title: str, body: Html) -> Html:
    return tag("section", tag("div", title, class_="tau-label"), body, class_="tau-card tau-flush")


def _table(columns: Sequence[str], rows: Sequence[Sequence[object]], empty: str) -> Html:
    if not rows:
        return tag("p", empty)
    head = tag("tr", *[tag("th", column) for column in columns])
    return tag(
        "table", tag("thead", head), tag("tbody", *[tag("tr", *[tag("td", cell) for cell in row]) for row in rows]), class_="tau-onsets"
    )


def _moment(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S}"
