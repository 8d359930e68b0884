"""Copying as rows: f_mem with its held-out control, the level and tau_mem, and the inset over tau / n^a with its collapse score."""

from collections.abc import Sequence

import numpy as np

from tauscope.analysis.collapse import CopyCurve, NoCollapseError, collapse
from tauscope.figures.onset_rows import onset_rows, without_value
from tauscope.figures.rows import Panel, Row
from tauscope.figures.seeds import Family, counts_of, curve_rows, level_of
from tauscope.figures.source import FigureRun

F_MEM, CONTROL = "f_mem", "f_mem_control"
TITLE = r"Copied samples, $f_\mathrm{mem}$"


def copying_panel(found: Sequence[Family], exponent: float) -> Panel:
    """f_mem against training time; a run whose control was not measured is left out and named."""
    controlled = [_controlled(family) for family in found]
    rows = [row for family in controlled for row in curve_rows(family, F_MEM, "b", share=True)]
    control = [row for family in controlled for row in curve_rows(family, CONTROL, "b", kind="control", share=True)]
    if not any(row.kind == "curve" for row in rows):
        return Panel("b", TITLE, tuple(rows), empty="no samples are measured yet")
    runs = [run for family in controlled for run in family.runs]
    level = level_of(runs, "tau_mem")
    onsets = [row for family in controlled for row in onset_rows(family, "tau_mem", "b")]
    levels = [Row("b", "level", F_MEM, y=level[1], note="level of f_mem minus control that defines tau_mem")] if level else []
    info = next((run.metrics[F_MEM] for run in runs if F_MEM in run.metrics), None)
    inset, said, more = _inset(controlled, exponent)
    missing = sorted({row.note for row in rows if row.kind == "missing"})
    notes = [
        f"N = {counts_of(rows)} samples; dashed: {counts_of(control)} held-out images; bands 95 %",
        said,
        without_value(onsets),
        f"×: {', '.join(missing)}" if missing else "",
        _uncontrolled(found),
    ]
    return Panel(
        "b",
        TITLE,
        (*rows, *(row for row in control if row.kind == "control"), *levels, *onsets),
        note="\n".join(note for note in notes if note),
        definition=f"f_mem: {info.definition} Dashed: the same share for real held-out images. Inset: f_mem minus control; {more}."
        if info
        else "",
        y_label=r"$f_\mathrm{mem}$, %",
        share=True,
        onset="tau_mem" if onsets else "",
        inset=inset,
    )


def _controlled(family: Family) -> Family:
    return Family(family.n_train, tuple(run for run in family.runs if F_MEM not in run.series or CONTROL in run.series))


def _uncontrolled(found: Sequence[Family]) -> str:
    left_out = [run.id for family in found for run in family.runs if F_MEM in run.series and CONTROL not in run.series]
    return f"not drawn, the control is missing: {', '.join(left_out)}" if left_out else ""


def _inset(found: Sequence[Family], exponent: float) -> tuple[Panel | None, str, str]:
    """f_mem minus control over tau / n^a, and how well the curves fall onto one another, in short and in full."""
    rows = [row for family in found if family.n_train for row in _excess(family, exponent)]
    if len({row.n_train for row in rows}) < 2:
        return None, "no inset: n does not vary", ""
    curves = [curve for family in found for run in family.runs if (curve := _copy_curve(run)) is not None]
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
    return Panel("b inset", r"$f_\mathrm{mem}$ − control, %", tuple(rows), x_label=label, share=True), said, more


def _excess(family: Family, exponent: float) -> list[Row]:
    assert family.n_train is not None
    control = {(row.run, row.x): row.y for row in curve_rows(family, CONTROL, "", share=True) if row.y is not None}
    scale = family.n_train**exponent
    return [
        Row(
            "b inset",
            "curve",
            "f_mem - f_mem_control",
            x_quantity=f"tau / n^{exponent:g}",
            x=row.x / scale,
            y=row.y - floor,
            n_train=family.n_train,
            run=row.run,
            runs=row.runs,
            count=row.count,
        )
        for row in curve_rows(family, F_MEM, "", share=True)
        if row.x is not None and row.y is not None and (floor := control.get((row.run, row.x))) is not None
    ]


def _copy_curve(run: FigureRun) -> CopyCurve | None:
    """f_mem minus control of a run at the steps where both were measured."""
    if run.n_train is None or F_MEM not in run.series:
        return None
    control = dict(zip(run.series[CONTROL].step, run.series[CONTROL].value, strict=True))
    points = zip(run.series[F_MEM].step, run.series[F_MEM].value, strict=True)
    rows = [(step, value - floor) for step, value in points if step > 0 and value is not None and (floor := control.get(step)) is not None]
    if not rows:
        return None
    step, excess = (np.array(column, dtype=np.float64) for column in zip(*rows, strict=True))
    return CopyCurve(run.n_train, step, excess)
