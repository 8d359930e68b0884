"""f_mem minus control, or what else defines tau_mem, against tau / (n^a W^b): do the curves of all n and W fall onto one another?"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from frontend.charts.axes import FOOT, HEAD, base_layout, log_axis, plain_axis, share_ticks
from frontend.charts.figure import Annotation, Trace, ViewOptions, label
from frontend.charts.groups import Group, run_name
from frontend.charts.labels import Frame, LineEnd, end_labels
from frontend.charts.law import position
from frontend.charts.marks import onset_marks
from frontend.charts.memorization import CONTROL, F_MEM, copying_range
from frontend.charts.panels import line_mode, require_control
from frontend.charts.reading import drawn_points, metric_info, series_of, short_label
from frontend.theme import with_opacity
from frontend.words import exponent as power
from frontend.words import percent
from tauscope.analysis.collapse import CopyCurve
from tauscope.analysis.thinning import kept_rows
from tauscope.contracts.curves import Curves
from tauscope.contracts.onsets import OnsetStatus, ScalingVariable
from tauscope.contracts.run_views import RunView

Exponents = Mapping[ScalingVariable, float]
"""Of each variable that time is scaled with, as in tau_mem ~ n^a W^b."""
Measured = tuple[int, float, float, float | None, float | None]
"""Step, the measure of copying, its control, and its interval."""
_LABELLED = 12


def copy_curve(curves: Curves, run: RunView, metric: str = F_MEM) -> CopyCurve | None:
    """f_mem minus control of a run at the steps where both were measured, or another measure; ``None`` before the first."""
    rows = [(step, value, floor) for step, value, floor, _, _ in _measured(curves, run, metric)]
    if not rows or run.n_train is None:
        return None
    step, value, floor = (np.array(column, dtype=np.float64) for column in zip(*rows, strict=True))
    return CopyCurve(run.n_train, step, value - floor, position(run, "width"))


def _measured(curves: Curves, run: RunView, metric: str) -> list[Measured]:
    """A run's points where the measure has values, and f_mem its control; any other measure has none to subtract."""
    series = series_of(curves, run, metric)
    if series is None:
        return []
    floor = _control(curves, run) if metric == F_MEM else dict.fromkeys(series.step, 0.0)
    columns = zip(series.step, series.value, series.low, series.high, strict=True)
    return [(step, v, floor.get(step, 0.0), low, high) for step, v, low, high in columns if v is not None and step > 0 and step in floor]


def _drawn(curves: Curves, run: RunView, metric: str) -> list[Measured]:
    """As many of them as a chart of all runs shows; what is said in numbers is computed from every one."""
    rows = _measured(curves, run, metric)
    if len(rows) <= (most := drawn_points(len(curves.runs))):
        return rows
    excess = [value - floor for _, value, floor, _, _ in rows]
    return [rows[row] for row in kept_rows([step for step, *_ in rows], excess, [None] * len(rows), most)]


def _control(curves: Curves, run: RunView) -> dict[int, float]:
    require_control(curves, run, CONTROL)
    series = curves.runs[run.id][CONTROL]
    return {step: value for step, value in zip(series.step, series.value, strict=True) if value is not None}


def scaled_time(exponents: Exponents) -> str:
    """What stands on the time axis; tau_mem falls with W, so its exponent is negative and W stands beside tau."""
    times = f" W<sup>{power(-exponents['width'])}</sup>" if "width" in exponents else ""
    return f"τ{times}" + (f" / n<sup>{power(exponents['n'])}</sup>" if "n" in exponents else "")


def collapse_figure(
    groups: Sequence[Group],
    curves: Curves,
    exponents: Exponents,
    options: ViewOptions,
    *,
    level: float | None,
    height: float,
    metric: str = F_MEM,
) -> dict[str, Any]:
    """The figure at chosen exponents. Traces hold in ``meta`` what they are scaled with and unscaled ``tau``: a slider moves them.

    Raises:
        FigureError: if a run has f_mem without its control.
    """
    traces = [
        trace
        for group in groups
        for run in group.runs
        for trace in _run_traces(group, run, curves, exponents, options, level=level, metric=metric)
    ]
    x_range, y_range = _time_range(traces), copying_range(curves, metric)
    frame = Frame(x_range, y_range, options.plot_width, height - HEAD - FOOT, log_y=False, beyond=options.margins[1] - 4, floor=True)
    title = f"{scaled_time(exponents)} (log)"
    lines = [{"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": level, "y1": level, "line": _dotted(options)}] if level else []
    return {
        "data": traces,
        "layout": {
            **base_layout(options, height),
            "hovermode": "closest",
            "xaxis": log_axis(options, x_range, title),
            "yaxis": {**plain_axis(options), "range": list(y_range), **share_ticks()},
            "shapes": lines,
            "annotations": [*_words(curves, metric, options, level), *_names(_ends(groups, traces, options), frame, level, options)],
            "meta": {"height": height},
        },
    }


def _dotted(options: ViewOptions) -> dict[str, Any]:
    return {"color": options.palette.memorization, "width": 1, "dash": "dot"}


def _run_traces(
    group: Group, run: RunView, curves: Curves, exponents: Exponents, options: ViewOptions, *, level: float | None, metric: str
) -> list[Trace]:
    rows = _drawn(curves, run, metric)
    at = {variable: position(run, variable) for variable in exponents}
    if not rows or not all(at.values()):
        return []
    first = run is group.runs[0]
    scale = math.prod((at[variable] or 1.0) ** exponent for variable, exponent in exponents.items())
    tau = [step for step, *_ in rows]
    excess = [value - floor for _, value, floor, _, _ in rows]
    lows, highs = ([v if end is None else end - floor for (_, v, floor, *ends) in rows for end in [ends[side]]] for side in (0, 1))
    meta = {"at": at, "tau": tau, "run": run.id, "group": group.key}
    plain = {"type": "scatter", "showlegend": False, "cliponaxis": False, "x": [step / scale for step in tau], "meta": meta}
    colour = group.colour if first else with_opacity(group.colour, 0.35)
    line = {
        **plain,
        "mode": line_mode(len(rows)),
        "name": run_name(group, run),
        "y": excess,
        "line": {"color": colour, "width": 2 if first else 1.2},
        "marker": {"size": 4, "color": colour},
        "customdata": [[step, value, floor] for step, value, floor, _, _ in rows],
        "hovertemplate": f"<b>{run_name(group, run)}</b> · %{{y:.1%}}{_parts(metric)}<br>τ %{{customdata[0]:,}}<extra></extra>",
    }
    arrows = _arrows(run, meta, scale, options, level=level)
    if not first:
        return [line, *arrows]
    edge = {**plain, "mode": "lines", "hoverinfo": "skip", "line": {"width": 0, "color": group.colour}}
    return [{**edge, "y": lows}, {**edge, "y": highs, "fill": "tonexty", "fillcolor": with_opacity(group.colour, 0.11)}, line, *arrows]


def _parts(metric: str) -> str:
    """Of what a value is the difference."""
    return " = f<sub>mem</sub> %{customdata[1]:.1%} − control %{customdata[2]:.1%}" if metric == F_MEM else ""


def _arrows(run: RunView, meta: dict[str, Any], scale: float, options: ViewOptions, *, level: float | None) -> list[Trace]:
    """An arrow on the level, from the last measured step, for a run that had not come to it by then."""
    onset = run.onsets.get("tau_mem")
    if level is None or onset is None or onset.status is not OnsetStatus.CENSORED:
        return []
    span = (meta["tau"][0], meta["tau"][-1])
    drawn = onset_marks("tau_mem", onset, y=level, yaxis="y", divisor=scale, palette=options.palette, measured=span)
    return [{**mark, "meta": {**meta, **mark["meta"], "tau": [x * scale for x in mark["x"]]}} for mark in drawn]


def _time_range(traces: Sequence[Trace]) -> tuple[float, float]:
    times = [x for trace in traces for x in trace["x"]]
    low, high = (min(times), max(times)) if times else (1.0, 100.0)
    return low / 1.1, max(high * 1.9, low * 10)


def _words(curves: Curves, metric: str, options: ViewOptions, level: float | None) -> list[Annotation]:
    palette = options.palette
    words = f"f<sub>mem</sub> minus {'' if options.narrow else 'held-out '}control"
    words = words if metric == F_MEM else short_label(metric_info(curves, metric))
    words += "" if options.narrow else ", bands 95 %"
    title = label(0, 1, f"<b>Collapse</b>: {words}", colour=palette.memorization, yanchor="bottom", yshift=10)
    if level is None:
        return [title]
    return [title, label(0, level, f"copying level: {percent(level)}", colour=palette.memorization, yref="y", yanchor="bottom", xshift=8)]


def _names(ends: Sequence[LineEnd], frame: Frame, level: float | None, options: ViewOptions) -> list[Annotation]:
    """The lines fall onto one another, and where there is little room their names would too: then a line says its own when pointed at."""
    return end_labels(ends, frame, "y", levels=[level or 0.0], sparing=options.narrow)


def _ends(groups: Sequence[Group], traces: Sequence[Trace], options: ViewOptions) -> list[LineEnd]:
    ends = []
    for group in groups[:_LABELLED]:
        line = next((t for t in traces if t["meta"]["run"] == group.runs[0].id and "hovertemplate" in t), None)
        if line is not None:
            points = tuple(zip(line["x"], line["y"], strict=True))
            ends.append(LineEnd(points, group.name, options.palette.ink_2, bold=False))
    return ends
