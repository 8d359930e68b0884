"""What the terminal shows: onsets in words, tables of runs. An onset that was not reached has words, never a number."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from rich.table import Table
from rich.text import Text

from tauscope.analysis.summary import NOTHING_TRAINED
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.forecasts import Forecast
from tauscope.contracts.onsets import Onset, PowerLawFit, was_compared
from tauscope.contracts.run_views import AttemptView, RunEventView
from tauscope.contracts.summary import ExperimentSummary, RunSummary
from tauscope.contracts.system import WorkerView
from tauscope.contracts.wording import onset_words


class RunProgress(Protocol):
    """What the progress table needs to know of a run."""

    state: str
    step: int
    steps_per_second: float | None
    reason: str

    @property
    def plan(self) -> Any: ...


def law_name(key: str, exponent: str = "") -> str:
    """A law by the key of its fit, e.g. ``tau_mem ~ n^a``, or with the number in place of the letter."""
    quantity, _, variable = key.partition("_vs_")
    return f"{quantity} ~ {'W' if variable == 'width' else variable}^{exponent or ('b' if variable == 'width' else 'a')}"


def interval_words(low: float | None, high: float | None) -> str:
    """Both ends of an exponent's interval."""
    return " to ".join(f"{end:.2f}" if end is not None else "unbounded" for end in (low, high))


def fit_sentences(fits: Mapping[str, PowerLawFit]) -> list[str]:
    """The fitted laws, each with its interval and what that leaves out."""
    sentences = []
    for key, fit in fits.items():
        if fit.exponent is None:
            sentences.append(f"{law_name(key)}: no exponent: {fit.note}")
            continue
        along = (
            f"; fitted along with the exponent of {' and '.join('W' if name == 'width' else name for name in fit.jointly)}"
            if fit.jointly
            else ""
        )
        counted = f"{fit.points} onsets, {fit.censored} censored{along}; {fit.note}"
        sentences.append(f"{law_name(key, f'{fit.exponent:.2f}')} (95 % interval {interval_words(fit.low, fit.high)}; {counted})")
    return sentences


def summary_table(summary: ExperimentSummary) -> Table:
    """One row a run: parameters, onsets and markers with 95 % intervals, what the onsets are read off at the end, with counts and control.

    tau_split has its columns where a run was compared with a twin. Where nothing is trained there is a row for each quantity.
    """
    if summary.runs and all(onset.reason == NOTHING_TRAINED for run in summary.runs for onset in run.onsets.values()):
        return _quantities_table(summary)
    metrics = final_metrics(summary.runs)
    table = Table(title=summary.experiment, title_justify="left", box=None, pad_edge=False)
    markers = ["tau_test", *["tau_split"] * any(was_compared(run.markers) for run in summary.runs)]
    for column in (
        "run",
        "tau_gen",
        "",
        "tau_mem",
        "",
        *(part for name in markers for part in (name, "")),
        *(f"{metric} at the end" for metric in metrics),
        "state",
    ):
        table.add_column(column)
    for run in summary.runs:
        times = [run.onsets.get("tau_gen"), run.onsets.get("tau_mem"), *(run.markers.get(name) for name in markers)]
        told = [words for time in times for words in (onset_words(time), _status(time))]
        table.add_row(_label(run), *told, *(final_words(run, metric) for metric in metrics), _state(run))
    return table


def _quantities_table(summary: ExperimentSummary) -> Table:
    """Every quantity of every run with its interval and count, an end or a count being no quantity."""
    table = Table("run", "quantity", "value", title=summary.experiment, title_justify="left", box=None, pad_edge=False)
    for run in summary.runs:
        if not run.final:
            table.add_row(_label(run), _state(run), "")
        for name in run.final:
            if name not in ("step", "n_generated") and not name.endswith(("_low", "_high", "_count")):
                table.add_row(_label(run), name, final_words(run, name))
    return table


def _label(run: RunSummary) -> str:
    return ", ".join(f"{key.removesuffix('_train')}={value}" for key, value in run.params.items()) or run.id


def _status(onset: Onset | None) -> str:
    return onset.status.value if onset else ""


def final_metrics(runs: Sequence[RunSummary]) -> list[str]:
    """What a table of runs tells of their end: what their onsets are read off, and f_mem with its control where it was measured."""
    read_off = [onset.metric for run in runs for onset in (run.onsets.get("tau_gen"), run.onsets.get("tau_mem")) if onset is not None]
    measured = {metric for run in runs for metric, value in run.final.items() if value is not None}
    return [metric for metric in dict.fromkeys([*read_off, "f_mem", "f_mem_control"]) if metric in measured]


def final_words(run: RunSummary, metric: str) -> str:
    """The last value of a metric with its interval and its count."""
    value, low, high, count = (run.final.get(f"{metric}{end}") for end in ("", "_low", "_high", "_count"))
    if value is None:
        return "not measured"
    words = _share if metric.startswith("f_mem") else _number
    ends = f" ({words(low)} to {words(high)})" if low is not None and high is not None else ""
    return words(value) + ends + (f" of {count:,}" if count is not None else "")


def _share(value: float) -> str:
    return f"{value:.1%}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _state(run: RunSummary) -> str:
    return f"{run.state}: {run.reason}" if run.reason else f"{run.state}, {run.seconds:.0f} s"


def progress_table(runs: Sequence[RunProgress]) -> Table:
    """One row a run while a sweep goes on."""
    table = Table("run", "state", "step", "steps/s", box=None)
    for run in runs:
        speed = f"{run.steps_per_second:.0f}" if run.steps_per_second and run.state == "running" else ""
        state = f"{run.state}, {run.reason}" if run.reason and run.state == "running" else run.state
        table.add_row(run.plan.label, state, f"{run.step:,} of {run.plan.spec.steps:,}", speed)
    return table


def run_states(view: ExperimentView) -> str:
    """Each run of an experiment with its state, in one line."""
    return f"{view.id}: " + ", ".join(f"{run.label}: {run.state}" for run in view.runs)


def waiting_sentences(view: ExperimentView) -> list[str]:
    """What queued runs wait for, each reason once, with how many wait for it; and what is still to be drawn."""
    reasons = Counter(run.waiting for run in view.runs if run.waiting)
    sentences = [f"{count} queued {'run' if count == 1 else 'runs'}: {reason}" for reason, count in reasons.items()]
    undrawn = sum(run.unevaluated for run in view.runs)
    return sentences + [f"checkpoints whose samples are still to be drawn: {undrawn}"] * bool(undrawn)


def forecast_sentences(view: ExperimentView) -> list[str]:
    """When copying is expected in each run that has not come to it, with what that is drawn from."""
    foretold = [(run, run.forecast) for run in view.runs if run.forecast is not None]
    return [f"{run.label}: {_foretold(made)}" for run, made in foretold]


def _foretold(made: Forecast) -> str:
    if made.median is None or made.low is None or made.high is None:
        return f"tau_mem is not foretold: {made.reason}"
    gap = f", loss gap at {made.gap_level:.0%}" if made.gap_level is not None else ""
    evidence = f"{made.n_pilots} pilots{gap}, {made.n_runs} earlier runs of {made.n_configurations} configurations"
    ends = f"80 % interval {made.low:,.0f} to {made.high:,.0f}"
    return f"tau_mem foretold at {made.median:,.0f} ({ends}; from {evidence}, at step {made.step:,})"


def experiments_table(experiments: Sequence[ExperimentView]) -> Table:
    """One row an experiment."""
    table = Table("id", "name", "state", "runs finished", box=None)
    for view in experiments:
        finished = sum(run.state == "finished" for run in view.runs)
        table.add_row(view.id, view.name, view.state, f"{finished} of {len(view.runs)}")
    return table


def attempts_table(attempts: Sequence[AttemptView]) -> Table:
    """One row a claim of a run."""
    table = Table("attempt", "worker", "started", "took", "steps", "computed again", "ended", "code", box=None)
    for item in attempts:
        took = f"{item.ended_at - item.started_at:.0f} s" if item.ended_at is not None else ""
        spread = f"{item.from_step:,} to {item.to_step:,}"
        code = (
            item.code_version if item.resumed_version in (None, item.code_version) else f"{item.code_version} after {item.resumed_version}"
        )
        table.add_row(
            str(item.epoch), item.worker, _moment(item.started_at), took, spread, f"{item.rewound:,}", item.outcome or "goes on", code
        )
    return table


def events_table(events: Sequence[RunEventView]) -> Table:
    """One row for every change of a run's state, with its reason."""
    table = Table("at", "event", "why", box=None)
    for event in events:
        table.add_row(_moment(event.at), event.name, Text(event.detail.partition("\n")[0]))
    return table


def workers_table(workers: Sequence[WorkerView], *, now: float) -> Table:
    """One row a worker; ``now`` is by the clock that wrote when it was last heard of."""
    columns = ("worker", "device", "slots", "busy", "queues", "code version", "other code", "draining", "last heard")
    table = Table(*columns, box=None)
    for item in workers:
        heard = f"{max(0.0, now - item.seen_at):.0f} s ago"
        counts = (str(item.slots), str(item.busy))
        offer = (", ".join(item.queues), item.code_version, item.code_version_policy)
        table.add_row(item.name, item.device, *counts, *offer, "yes" if item.draining else "no", heard)
    return table


def _moment(at: float) -> str:
    return f"{datetime.fromtimestamp(at):%Y-%m-%d %H:%M:%S}"
