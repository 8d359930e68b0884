"""The phase diagram as rows: the state of every (n, p) of a sweep over both, and the brackets of the boundaries between."""

from collections.abc import Sequence
from typing import Any

from tauscope.analysis.phase import phase_diagram
from tauscope.analysis.phase_states import MeasuredRun
from tauscope.contracts.phase import Boundary, CellState, PhaseCell
from tauscope.contracts.summary import RunSummary
from tauscope.figures.rows import Panel, Row
from tauscope.figures.source import FigureRun, points_of
from tauscope.specs import KINDS, ExperimentSpec

TITLE = "Phases over n and parameters p"
PHASES = {
    CellState.MEMORIZES: "memorizes",
    CellState.WINDOW: "window (early stopping)",
    CellState.CENSORED: "no copying by the budget",
    CellState.PLATEAU: "plateau (architecture)",
    CellState.UNDEFINED: "no state",
}
"""State of a cell to its words; ``censored`` is no proof of regularisation by architecture, as copying may begin later."""


def phase_panel(runs: Sequence[FigureRun]) -> Panel:
    """A cell for every n and p, and a bracket for each boundary; words where there is no diagram."""
    found = phase_diagram("", [_measured(run) for run in runs])
    if found.missing:
        return Panel("b", TITLE, empty=f"not measured: {found.missing}")
    rows = [*map(_cell, found.cells), *(_bracket(item) for item in found.boundaries)]
    last = max(cell.steps for cell in found.cells)
    return Panel(
        "b",
        TITLE,
        tuple(rows),
        note=f"{len(runs)} runs; by each run's last checkpoint, at most {last:,}\n{_star_words(found.boundaries)}",
        definition=" ".join(f"{name}: {words}." for name, words in found.definitions.items())
        + " ?: the intervals leave another state possible. Brackets: the boundaries, where both ends are known; solid n*, dotted window.",
        x_label="training-set size n",
        y_label="trained parameters p",
    )


def has_parameters(runs: Sequence[FigureRun]) -> bool:
    """Whether the runs' kind has a number of trained parameters, p of a phase diagram."""
    return any(_spec(run).parameters is not None for run in runs)


def _star_words(boundaries: Sequence[Boundary]) -> str:
    """Where n* lies at each p, and at how many it is not known."""
    stars = [item for item in boundaries if item.kind == "plateau"]
    known = [f"n* {item.low:,.0f} to {item.high:,.0f} at p = {item.parameters:,}" for item in stars if item.low and item.high]
    lost = len(stars) - len(known)
    return "; ".join([*known, *[f"n* not identified at {lost} of {len(stars)} values of p"] * bool(lost)])


def _measured(run: FigureRun) -> MeasuredRun:
    summary = RunSummary(id=run.id, params=dict(run.params), state=run.state, onsets=dict(run.onsets), final={}, seconds=0.0)
    return MeasuredRun(summary, _spec(run), points_of(run.series))


def _spec(run: FigureRun) -> ExperimentSpec:
    return KINDS[run.spec["kind"]].model_validate(run.spec)


def _cell(cell: PhaseCell) -> Row:
    doubt = "" if cell.settled or cell.state is CellState.UNDEFINED else "unsettled"
    common: dict[str, Any] = {"n_train": cell.n, "width": cell.width, "runs": len(cell.runs), "status": str(cell.state), "setting": doubt}
    return Row("b", "cell", "phase", "n_train", float(cell.n), float(cell.parameters), **common, note=cell.reason)


def _bracket(item: Boundary) -> Row:
    ends: dict[str, Any] = {
        "x_low": item.low,
        "x_high": item.high,
        "width": item.width,
        "status": "identified" if item.identified else "not identified",
    }
    return Row("b", "boundary", item.kind, "n_train", None, float(item.parameters), **ends, runs=0, note=item.reason)
