"""A probe over training time with f_mem below: its level, when it was passed, and when copying began."""

from collections.abc import Mapping, Sequence
from typing import Any

from frontend.charts.axes import FOOT, HEAD, base_layout, share_ticks, time_axes
from frontend.charts.figure import Panel, ViewOptions, label
from frontend.charts.filling import fill
from frontend.charts.groups import Group, focused
from frontend.charts.labels import Frame, end_labels
from frontend.charts.marks import onset_marks
from frontend.charts.memorization import F_MEM, memorization_panel
from frontend.charts.panels import breaks, curve, line_ends, threshold
from frontend.charts.quality import Drawing
from frontend.charts.reading import divisor, measured_span, metric_info, short_label, time_range, title_of, value_range
from frontend.charts.seed_lines import seed_lines
from frontend.words import probe_value
from tauscope.contracts.curves import Curves
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.onsets import OnsetStatus
from tauscope.contracts.warnings import RunWarning

_GAP = 44
_PROBE_SHARE = 0.58
# What each probe says of a network that knows nothing of its training images; the loss gap is then 0 on average.
_NOTHING = {"auc": (0.5, "guessing"), "tpr": (0.01, "guessing"), "alpha_ho": (0.0, "knows neither set"), "loss_gap": (0.0, "no gap")}

Warnings = Mapping[str, RunWarning]
"""Run id to the warning of the probe that is shown."""


def probes_figure(
    experiment: ExperimentView,
    curves: Curves,
    warnings: Warnings,
    groups: Sequence[Group],
    metric: str,
    options: ViewOptions,
    *,
    height: float,
) -> dict[str, Any]:
    """The figure, its curves filled in.

    Raises:
        FigureError: if a run has f_mem without its control.
    """
    focus, lines = focused(groups, options.focus), seed_lines(groups, curves, apart=True)
    inner = height - HEAD - FOOT
    upper = _PROBE_SHARE * (inner - _GAP)
    panels = {"probe": Panel("y", bottom=1 - upper / inner, top=1.0), "memorization": Panel("y2", 0.0, 1 - (upper + _GAP) / inner)}
    low, high = time_range(experiment, curves, options)
    x_range = (low / 1.18, high * (high / low) ** 0.10)
    bounds = _bounds(curves, warnings, metric)
    frames = {
        "probe": Frame(x_range, bounds, options.plot_width, upper, log_y=False),
        "memorization": Frame(x_range, (-0.03, 1.03), options.plot_width, inner - _GAP - upper, log_y=False, floor=True),
    }
    drawings = [
        _probe_panel(groups, focus, panels["probe"], frames["probe"], curves=curves, warnings=warnings, metric=metric, options=options),
        memorization_panel(
            experiment, lines, focus, panels["memorization"], frames["memorization"], curves=curves, drawn=curves, options=options
        ),
        _not_copying(groups, panels["memorization"], curves=curves, options=options),
    ]
    axes = time_axes(panels, frames, 0, x_range, options)
    axes["yaxis"] |= share_ticks() if metric.startswith("loss_gap") else {}
    figure = {
        "data": [trace for drawing in drawings for trace in drawing.traces],
        "layout": {
            **base_layout(options, height),
            "hovermode": "x unified",
            "hoversubplots": "axis",
            **axes,
            "shapes": [shape for drawing in drawings for shape in drawing.shapes],
            "annotations": [item for drawing in drawings for item in drawing.annotations],
            "meta": {"height": height},
            "uirevision": f"{experiment.id}/{options.axis}/{metric}",
        },
    }
    return fill(figure, curves)


def nothing_known(metric: str) -> tuple[float, str] | None:
    """The value of a probe where nothing is memorized, and what to call it; ``None`` where that is not known."""
    return next((found for part, found in _NOTHING.items() if part in metric), None)


def _bounds(curves: Curves, warnings: Warnings, metric: str) -> tuple[float, float]:
    ends = list(value_range(curves, [metric]) or (0.0, 1.0))
    ends += [warning.level for warning in warnings.values() if warning.level is not None]
    nothing = nothing_known(metric)
    ends += [nothing[0]] if nothing else []
    air = 0.06 * ((max(ends) - min(ends)) or 1.0)
    return min(ends) - air, max(ends) + air


def _probe_panel(
    groups: Sequence[Group],
    focus: Group | None,
    panel: Panel,
    frame: Frame,
    *,
    curves: Curves,
    warnings: Warnings,
    metric: str,
    options: ViewOptions,
) -> Drawing:
    drawing, palette, info = Drawing(), options.palette, metric_info(curves, metric)
    title = f"<b>{short_label(info) if options.narrow else title_of(info)}</b>"
    drawing.annotations.append(label(0, panel.top, title, colour=palette.warning_text, yanchor="bottom", yshift=8))
    nothing = nothing_known(metric)
    if nothing is not None:
        drawing.shapes.append(threshold(nothing[0], panel, colour=palette.control, x_range=frame.x_range))
    if nothing is not None and not options.narrow:
        drawing.annotations.append(label(1, nothing[0], nothing[1], colour=palette.ink_3, yref=panel.axis, xshift=8))
    for group in groups:
        for run in group.runs:
            drawing.traces.extend(curve(run, metric, panel, group=group, focus=group is focus, curves=curves, options=options))
    level = _draw_level(drawing, focus, panel, frame, warnings=warnings, metric=metric, options=options)
    _draw_warnings(drawing, groups, panel, curves=curves, warnings=warnings, options=options)
    ends = line_ends(seed_lines(groups, curves, apart=True), metric, focus=focus, curves=curves, options=options)
    lines = [nothing[0]] if nothing else []
    drawing.annotations.extend(end_labels(ends, frame, panel.axis, levels=[level] if level is not None else [], lines=lines))
    drawing.annotations.extend(breaks(groups, metric, panel, curves=curves, options=options))
    return drawing


def _draw_level(
    drawing: Drawing, focus: Group | None, panel: Panel, frame: Frame, *, warnings: Warnings, metric: str, options: ViewOptions
) -> float | None:
    """The level of the focused n, chosen from runs of other configurations; each n has its own."""
    warning = warnings.get(focus.runs[0].id) if focus else None
    if focus is None or warning is None or warning.level is None:
        return None
    colour = options.palette.warning
    drawing.shapes.append(threshold(warning.level, panel, colour=colour, x_range=frame.x_range))
    value = probe_value(metric, warning.level)
    words = f"level: {value}" if options.narrow else f"warning level of {focus.name}: {value}"
    place = {"yref": panel.axis, "yanchor": "bottom", "xshift": 8}
    drawing.annotations.append(label(0, warning.level, words, colour=options.palette.warning_text, **place))
    return warning.level


def _draw_warnings(
    drawing: Drawing, groups: Sequence[Group], panel: Panel, *, curves: Curves, warnings: Warnings, options: ViewOptions
) -> None:
    for group in groups:
        for run in group.runs:
            warning = warnings.get(run.id)
            if warning is not None and warning.onset is not None and warning.level is not None:
                span, by = measured_span(curves, run, warning.metric), divisor(run, options)
                place: dict[str, Any] = {"y": warning.level, "yaxis": panel.axis, "divisor": by, "measured": span}
                drawing.traces.extend(onset_marks("warning", warning.onset, palette=options.palette, **place))


def _not_copying(groups: Sequence[Group], panel: Panel, *, curves: Curves, options: ViewOptions) -> Drawing:
    """Arrows for the runs whose copying was not reached; those that were have their marks on the level already."""
    drawing = Drawing()
    for group in groups:
        for run in group.runs:
            onset = run.onsets.get("tau_mem")
            if onset is not None and onset.status in (OnsetStatus.CENSORED, OnsetStatus.BEFORE_FIRST):
                place: dict[str, Any] = {"y": onset.level, "yaxis": panel.axis, "divisor": divisor(run, options)}
                span = measured_span(curves, run, F_MEM)
                drawing.traces.extend(onset_marks("tau_mem", onset, palette=options.palette, measured=span, **place))
    return drawing
