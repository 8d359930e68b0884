"""What happened to a run: where it stands, who computed it, and why it changed its state."""

from collections.abc import Sequence

from frontend.charts.groups import group_runs, run_name
from frontend.charts.rf_density import ratios_of
from frontend.markup.averages import averages
from frontend.markup.closed_form import bulk_table
from frontend.markup.forecasts import run_forecasts
from frontend.markup.header import header
from frontend.markup.html import Html, join, signed, tag
from frontend.markup.keep import checkpoint_link, keep_card
from frontend.markup.sections import section, table
from frontend.markup.theory import theory_section
from frontend.theme import LIGHT
from frontend.words import DASH, duration, moment, sentence, steps
from tauscope.contracts.curves import Curves
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.forecasts import RunForecasts
from tauscope.contracts.retention import CheckpointView, RunCheckpoints
from tauscope.contracts.run_views import AttemptView, RunEventView, RunView
from tauscope.contracts.storage import size_words


def run_regions(
    experiment: ExperimentView,
    run: RunView,
    attempts: Sequence[AttemptView],
    events: Sequence[RunEventView],
    *,
    checkpoints: RunCheckpoints,
    foretold: RunForecasts,
    curves: Curves,
) -> dict[str, Html]:
    """The whole page, by region."""
    held = [_checkpoint_cells(run, item) for item in checkpoints.checkpoints]
    tried = [_attempt_cells(item) for item in attempts]
    return {
        "header": header(experiment, tab="run", run_id=run.id),
        "standing": _facts(experiment, run),
        "keep": keep_card(run, checkpoints),
        "averages": averages(run),
        "checkpoints": section("Checkpoints", table(_CHECKPOINT_COLUMNS, held, "None yet, or none is left.")),
        "forecasts": run_forecasts(foretold),
        "theory": join(theory_section(run, curves), bulk_table(run, curves, ratios_of(experiment, run))),
        "attempts": section("Attempts", table(_ATTEMPT_COLUMNS, tried, "No worker has claimed it yet.")),
        "events": section("Events", table(("At, UTC", "Event", "Why"), [_event_cells(event) for event in events], "None yet.")),
    }


_CHECKPOINT_COLUMNS = ("τ", "Weights and training state", "Pruning would", "Pinned")
_ATTEMPT_COLUMNS = ("Attempt", "Worker", "Started, UTC", "Took", "Steps", "Computed again", "Ended", "Code version")


def _facts(experiment: ExperimentView, run: RunView) -> Html:
    name = next(run_name(group, item) for group in group_runs(experiment, LIGHT) for item in group.runs if item.id == run.id)
    standing = f"Run {name}: {run.state}, τ {steps(run.step)} of {steps(run.steps)}"
    facts = [f"held by {run.worker}" if run.worker else "held by no worker", f"priority {run.priority}", f"queue {run.queue}"]
    facts += [f"data set {name}"] if (name := data_set(experiment, run)) else []
    told = [text for text in (run.waiting, undrawn(run.unevaluated), run.reason, run.code_note, *run.remarks) if text]
    return join(
        tag("div", standing, class_="tau-finding"),
        tag("p", " · ".join(facts), class_="tau-quiet"),
        *[tag("p", signed(sentence(text))) for text in told],
    )


def data_set(experiment: ExperimentView, run: RunView) -> str:
    """The name of what a run is trained on."""
    named = run.params.get("dataset.name") or experiment.sweep.get("base", {}).get("dataset", {}).get("name")
    return str(named or "")


def beginning(step: int | None) -> str:
    """What a changed copy of the run starts from, in words."""
    return "from scratch" if step is None else f"from its checkpoint at τ {steps(step)}"


def undrawn(checkpoints: int) -> str:
    """How many checkpoints wait for their samples, in words; empty for none."""
    return f"the samples of {checkpoints} checkpoint{'s' * (checkpoints > 1)} are still to be drawn" if checkpoints else ""


def _checkpoint_cells(run: RunView, item: CheckpointView) -> tuple[object, ...]:
    link = checkpoint_link(run.id, item.step, f"Download, {size_words(item.n_bytes)}")
    pruning = signed(f"keep it: {', '.join(item.kept)}") if item.kept else "drop it"
    return steps(item.step), link, pruning, "by its owner" if item.pinned else ""


def _attempt_cells(item: AttemptView) -> tuple[object, ...]:
    took = duration(max(0.0, item.ended_at - item.started_at)) if item.ended_at is not None else DASH
    code = item.code_version if item.resumed_version in (None, item.code_version) else f"{item.code_version} after {item.resumed_version}"
    spread = f"{steps(item.from_step)} to {steps(item.to_step)}"
    return item.epoch, item.worker, moment(item.started_at), took, spread, steps(item.rewound), item.outcome or "goes on", code


def _event_cells(event: RunEventView) -> tuple[object, ...]:
    first, _, more = event.detail.partition("\n")
    why = tag("details", tag("summary", first), tag("pre", more)) if more else first
    name = "data" if event.name == "images" else event.name.replace("_", " ")  # A remark on whatever is trained on.
    return moment(event.at), name, why
