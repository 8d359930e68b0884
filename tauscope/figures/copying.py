"""Copying as rows: f_mem with its held-out control, or what else defines tau_mem; the level and tau_mem; the inset over tau / n^a.

The inset says how well the curves of different n collapse.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tauscope.analysis.collapse import CopyCurve, NoCollapseError, collapse
from tauscope.figures.onset_rows import onset_rows, without_value
from tauscope.figures.rows import Kind, Panel, Row
from tauscope.figures.seeds import Family, counts_of, curve_rows, level_of
from tauscope.figures.source import FigureRun, short_title
from tauscope.specs.copying import control_of

F_MEM = "f_mem"


@dataclass(frozen=True)
class Measure:
    """What copying is drawn as: f_mem, or another metric that defines tau_mem and has no control."""

    metric: str
    control: str | None
    title: str
    symbol: str

    @property
    def excess(self) -> str:
        """What the level of tau_mem is of, and the inset."""
        return f"{self.metric} minus control" if self.control else self.metric

    def rows(self, family: Family, panel: str, metric: str | None = None, *, kind: Kind = "curve") -> list[Row]:
        """Its curves, or those of its control; a share cannot leave [0, 1], another measure can."""
        return curve_rows(family, metric or self.metric, panel, kind=kind, share=self.control is not None)


def measure_of(runs: Sequence[FigureRun]) -> Measure:
    """What defines tau_mem, with what is subtracted from it."""
    level = level_of(runs, "tau_mem")
    metric = level[0] if level else F_MEM
    if metric == F_MEM:
        return Measure(F_MEM, control_of(F_MEM), r"Copied samples, $f_\mathrm{mem}$", r"$f_\mathrm{mem}$")
    info = next((run.metrics[metric] for run in runs if metric in run.metrics), None)
    words = metric.partition("@")[0].replace("_", " ")
    return Measure(metric, info.control if info else None, short_title(info) if info else words, words)


def copying_panel(found: Sequence[Family], exponent: float) -> Panel:
    """Copying against training time; a run whose control was not measured is left out and named."""
    every = [run for family in found for run in family.runs]
    measure = measure_of(every)
    controlled = [_controlled(family, measure) for family in found]
    rows = [row for family in controlled for row in measure.rows(family, "b")]
    control = [row for family in controlled if measure.control for row in measure.rows(family, "b", measure.control, kind="control")]
    if not any(row.kind == "curve" for row in rows):
        measured = any(measure.metric in run.metrics for run in every)
        empty = "no samples are measured yet" if measured else f"{measure.metric} is not measured by these runs"
        return Panel("b", measure.title, tuple(rows), empty=empty)
    runs = [run for family in controlled for run in family.runs]
    level = level_of(runs, "tau_mem")
    onsets = [row for family in controlled for row in onset_rows(family, "tau_mem", "b")]
    levels = [Row("b", "level", measure.metric, y=level[1], note=f"level of {measure.excess} that defines tau_mem")] if level else []
    info = next((run.metrics[measure.metric] for run in runs if measure.metric in run.metrics), None)
    inset, said, more = _inset(controlled, measure, exponent)
    points = runs[0].points
    missing = sorted({row.note for row in rows if row.kind == "missing"})
    counted = f"N = {counts_of(rows)} samples; dashed: {counts_of(control)} held-out {points}" if control else f"N = {counts_of(rows)}"
    notes = [
        f"{counted}; bands 95 %",
        said,
        without_value(onsets),
        f"×: {', '.join(missing)}" if missing else "",
        _uncontrolled(found, measure),
    ]
    dashed = f" Dashed: the same share for real held-out {points}." if control else ""
    return Panel(
        "b",
        measure.title,
        (*rows, *(row for row in control if row.kind == "control"), *levels, *onsets),
        note="\n".join(note for note in notes if note),
        definition=f"{measure.metric}: {info.definition}{dashed} Inset: {measure.excess}; {more}." if info else "",
        y_label=f"{measure.symbol}, %",
        share=True,
        onset="tau_mem" if onsets else "",
        inset=inset,
    )


def _controlled(family: Family, measure: Measure) -> Family:
    return Family(family.n_train, tuple(run for run in family.runs if not _lacks_control(run, measure)))


def _lacks_control(run: FigureRun, measure: Measure) -> bool:
    return measure.control is not None and measure.metric in run.series and measure.control not in run.series


def _uncontrolled(found: Sequence[Family], measure: Measure) -> str:
    left_out = [run.id for family in found for run in family.runs if _lacks_control(run, measure)]
    return f"not drawn, the control is missing: {', '.join(left_out)}" if left_out else ""


def _inset(found: Sequence[Family], measure: Measure, exponent: float) -> tuple[Panel | None, str, str]:
    """Copying minus its control over tau / n^a, and how well the curves fall onto one another, in short and in full."""
    rows = [row for family in found if family.n_train for row in _excess(family, measure, exponent)]
    if len({row.n_train for row in rows}) < 2:
        return None, "no inset: n does not vary", ""
    curves = [curve for family in found for run in family.runs if (curve := _copy_curve(run, measure)) is not None]
    divided = "τ / n" if exponent == 1 else f"τ / n^{exponent:g}"
    label = "τ / n" if exponent == 1 else f"τ / $n^{{{exponent:g}}}$"
    try:
        score = collapse(curves)
        said = f"inset over {divided}: collapse score {score.score(exponent):.2f} (0 perfect, 1 unscaled)"
        (scaling,) = score.scalings
        best = "no interval" if scaling.low is None or scaling.high is None else f"{scaling.low:.2f} to {scaling.high:.2f}, {score.note}"
        levels = f"levels {score.levels[0]:.0%} to {score.levels[1]:.0%}"
        more = f"{said}; {score.curves} curves, {levels}; best exponent {scaling.best:.2f} ({best})"
    except NoCollapseError as error:
        said = more = f"inset over {divided}: no collapse score, {error}"
    title = f"{measure.symbol} − control, %" if measure.control else f"{measure.symbol}, %"
    return Panel("b inset", title, tuple(rows), x_label=label, share=True), said, more


def _excess(family: Family, measure: Measure, exponent: float) -> list[Row]:
    assert family.n_train is not None
    control = {(row.run, row.x): row.y for row in measure.rows(family, "", measure.control) if row.y is not None} if measure.control else {}
    scale = family.n_train**exponent
    return [
        Row(
            "b inset",
            "curve",
            f"{measure.metric} - {measure.control}" if measure.control else measure.metric,
            x_quantity=f"tau / n^{exponent:g}",
            x=row.x / scale,
            y=row.y - floor,
            n_train=family.n_train,
            run=row.run,
            runs=row.runs,
            count=row.count,
        )
        for row in measure.rows(family, "")
        if row.x is not None and row.y is not None and (floor := control.get((row.run, row.x)) if measure.control else 0.0) is not None
    ]


def _copy_curve(run: FigureRun, measure: Measure) -> CopyCurve | None:
    """Copying minus its control of a run at the steps where both were measured."""
    series = run.series.get(measure.metric)
    if run.n_train is None or series is None:
        return None
    floors = run.series[measure.control] if measure.control else None
    control = dict(zip(floors.step, floors.value, strict=True)) if floors else dict.fromkeys(series.step, 0.0)
    points = zip(series.step, series.value, strict=True)
    rows = [(step, value - floor) for step, value in points if step > 0 and value is not None and (floor := control.get(step)) is not None]
    if not rows:
        return None
    step, excess = (np.array(column, dtype=np.float64) for column in zip(*rows, strict=True))
    return CopyCurve(run.n_train, step, excess)
