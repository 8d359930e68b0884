"""E_score and what is copied of every run along training, with a line at the training time whose scores are shown."""

from collections.abc import Sequence
from typing import Any

from frontend.charts.axes import FOOT, HEAD, base_layout, time_axes
from frontend.charts.figure import Panel, ViewOptions, label, log_position
from frontend.charts.filling import fill
from frontend.charts.groups import Group, focused
from frontend.charts.labels import Frame, end_labels
from frontend.charts.panels import curve, line_ends, reached_onsets, threshold
from frontend.charts.quality import Drawing, quality_panel, quality_range
from frontend.charts.reading import level_of, metric_info, time_range, title_of, value_range
from frontend.charts.seed_lines import seed_lines
from frontend.words import number
from tauscope.contracts.curves import Curves
from tauscope.contracts.experiments import ExperimentView

E_SCORE, LINEAR, COPIED = "e_score", "e_score_linear", "score_copied"
_GAP = 44
_UPPER = 0.54


def errors_figure(
    experiment: ExperimentView, curves: Curves, groups: Sequence[Group], step: int, options: ViewOptions, *, height: float
) -> dict[str, Any]:
    """The figure, its curves filled in; the shape named ``cursor`` stands at ``step`` and is moved by the browser."""
    focus, inner = focused(groups, options.focus), height - HEAD - FOOT
    upper = _UPPER * (inner - _GAP)
    panels = {"quality": Panel("y", bottom=1 - upper / inner, top=1.0), "copied": Panel("y2", 0.0, 1 - (upper + _GAP) / inner)}
    low, high = time_range(experiment, curves, options)
    x_range = (low / 1.18, high * (high / low) ** 0.10)
    frames = {
        "quality": Frame(x_range, quality_range(experiment, curves, E_SCORE), options.plot_width, upper, log_y=True),
        "copied": Frame(x_range, _copied_range(curves), options.plot_width, inner - _GAP - upper, log_y=False, floor=True),
    }
    lines = seed_lines(groups, curves, apart=True)
    drawings = [
        quality_panel(
            experiment, lines, focus, panels["quality"], frames["quality"], curves=curves, drawn=curves, options=options, metric=E_SCORE
        ),
        _linear(groups, panels["quality"], frames["quality"], curves=curves, options=options),
        _copied_panel(experiment, groups, focus, panels["copied"], frames["copied"], curves=curves, options=options),
    ]
    cursor = {"type": "line", "name": "cursor", "xref": "x", "yref": "paper", "x0": step, "x1": step, "y0": 0, "y1": 1}
    figure = {
        "data": [trace for drawing in drawings for trace in drawing.traces],
        "layout": {
            **base_layout(options, height),
            "hovermode": "x unified",
            "hoversubplots": "axis",
            **time_axes(panels, frames, 0, x_range, options),
            "shapes": [
                {**cursor, "line": {"color": options.palette.action, "width": 2}},
                *(shape for drawing in drawings for shape in drawing.shapes),
            ],
            "annotations": [item for drawing in drawings for item in drawing.annotations],
            "meta": {"height": height},
            "uirevision": experiment.id,
        },
    }
    return fill(figure, curves)


def _copied_range(curves: Curves) -> tuple[float, float]:
    low, high = value_range(curves, [COPIED]) or (0.0, 1.0)
    return max(min(low, 0.0), -1.0) - 0.05, max(high, 1.0) + 0.05


def _linear(groups: Sequence[Group], panel: Panel, frame: Frame, *, curves: Curves, options: ViewOptions) -> Drawing:
    """What the best single Gaussian errs by: below it a network knows that there are several modes."""
    drawing = Drawing()
    series = (curves.runs.get(run.id, {}).get(LINEAR) for group in groups for run in group.runs)
    found = next((value for item in series if item is not None for value in item.value if value is not None), None)
    if found is not None and frame.y_range[0] < found < frame.y_range[1]:
        drawing.shapes.append(threshold(found, panel, colour=options.palette.control, x_range=frame.x_range))
        if not options.narrow:
            place = {"yref": panel.axis, "xshift": 8, "yanchor": "top"}
            drawing.annotations.append(
                label(1, log_position(found), f"one Gaussian: {number(found)}", colour=options.palette.ink_3, **place)
            )
    return drawing


def _copied_panel(
    experiment: ExperimentView,
    groups: Sequence[Group],
    focus: Group | None,
    panel: Panel,
    frame: Frame,
    *,
    curves: Curves,
    options: ViewOptions,
) -> Drawing:
    drawing, palette = Drawing(), options.palette
    title = "Copied" if options.narrow else title_of(metric_info(curves, COPIED))
    drawing.annotations.append(label(0, panel.top, f"<b>{title}</b>", colour=palette.memorization, yanchor="bottom", yshift=8))
    for group in groups:
        for run in group.runs:
            drawing.traces.extend(curve(run, COPIED, panel, group=group, focus=group is focus, curves=curves, options=options))
    for end, words in ((0.0, "population"), (1.0, "training points")):
        drawing.shapes.append(threshold(end, panel, colour=palette.control, x_range=frame.x_range))
        if not options.narrow:
            drawing.annotations.append(label(1, end, words, colour=palette.ink_3, yref=panel.axis, xshift=8))
    stated = level_of(experiment, "tau_mem")
    level = stated[1] if stated and stated[0] == COPIED else None
    if level is not None:
        drawing.shapes.append(threshold(level, panel, colour=palette.memorization, x_range=frame.x_range))
        place = {"yref": panel.axis, "yanchor": "bottom", "xshift": 8}
        drawing.annotations.append(label(0, level, f"copying from {number(level)}", colour=palette.memorization, **place))
        drawing.traces.extend(reached_onsets("tau_mem", groups, level, panel, curves=curves, options=options))
    ends = line_ends(seed_lines(groups, curves, apart=True), COPIED, focus=focus, curves=curves, options=options)
    drawing.annotations.extend(end_labels(ends, frame, panel.axis, levels=[level] if level is not None else [], lines=[0.0, 1.0]))
    return drawing
