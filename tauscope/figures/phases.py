"""The phase diagram as rows: what was seen at every (n, W) of a sweep over both, up to its budget of steps."""

from collections.abc import Sequence

from tauscope.contracts.onsets import Onset, OnsetStatus
from tauscope.figures.rows import Panel, Row
from tauscope.figures.source import FigureRun

TITLE = "Phases over n and width W"
PHASES = {
    "window": "good, then copies (early stopping)",
    "good": "good, no copying seen",
    "copies": "copies, no window before it",
    "neither": "neither seen",
    "differs": "runs differ",
    "not measured": "not measured",
}
"""State of a cell to its words. ``good`` is not proof of regularisation by architecture: copying may begin after the budget."""


def phase_panel(runs: Sequence[FigureRun]) -> Panel:
    """A cell for every n and W; words where the sweep has one of either."""
    measured = [run for run in runs if run.n_train is not None and run.width is not None]
    sizes = sorted({run.n_train for run in measured if run.n_train is not None})
    widths = sorted({run.width for run in measured if run.width is not None})
    if len(sizes) < 2 or len(widths) < 2:
        return Panel("b", TITLE, empty=_why_not(sizes, widths))
    rows = [_cell(n, width, [run for run in measured if (run.n_train, run.width) == (n, width)]) for width in widths for n in sizes]
    return Panel(
        "b",
        TITLE,
        tuple(rows),
        note=f"{len(measured)} runs; by each run's last step, at most {_last_step(measured):,}",
        definition="Cells: which onsets each run reached by its last step; copying that was not seen may begin later. "
        "W is the base width of the network, which sets its number of parameters p.",
        x_label="training images n",
        y_label="width W",
    )


def _why_not(sizes: Sequence[int], widths: Sequence[int]) -> str:
    if len(widths) == 1:
        return f"not measured: this sweep has one width, W = {widths[0]}"
    return f"not measured: this sweep has one n, n = {sizes[0]:,}" if len(sizes) == 1 else "not measured"


def _cell(n: int, width: int, runs: Sequence[FigureRun]) -> Row:
    found = {phase_of(run) for run in runs} or {"not measured"}
    phase = found.pop() if len(found) == 1 else "differs"
    note = f"by step {_last_step(runs):,}" if runs else ""
    return Row("b", "cell", "phase", "n_train", float(n), float(width), n_train=n, width=width, runs=len(runs), status=phase, note=note)


def _last_step(runs: Sequence[FigureRun]) -> int:
    return max((series.step[-1] for run in runs for series in run.series.values() if series.step), default=0)


def phase_of(run: FigureRun) -> str:
    """The state of a run, by its onsets: a window needs tau_gen to end before tau_mem begins."""
    gen, mem = run.onsets.get("tau_gen"), run.onsets.get("tau_mem")
    if not _known(gen) or not _known(mem) or gen is None or mem is None:
        return "not measured"
    good, copied = (onset.status in (OnsetStatus.REACHED, OnsetStatus.BEFORE_FIRST) for onset in (gen, mem))
    if not copied:
        return "good" if good else "neither"
    return "window" if good and (gen.high or 0.0) <= (mem.low or 0.0) else "copies"


def _known(onset: Onset | None) -> bool:
    return onset is not None and onset.status is not OnsetStatus.UNDEFINED
