"""The memorization panel: f_mem of every run, always with its held-out control, or what else defines tau_mem; and its level."""

from collections.abc import Sequence

from frontend.charts.figure import Annotation, Panel, ViewOptions, label
from frontend.charts.forecast import forecast_marks
from frontend.charts.groups import Group
from frontend.charts.labels import Frame, Room
from frontend.charts.marks import joined
from frontend.charts.panels import (
    breaks,
    common_rings,
    control_curves,
    crowded,
    dashed,
    line_ends,
    reached_onsets,
    require_control,
    threshold,
)
from frontend.charts.quality import Drawing
from frontend.charts.reading import copying_metric, level_of, metric_info, series_of, title_of, value_range
from frontend.charts.seed_lines import SeedLine
from frontend.charts.seed_traces import line_traces, onset_bands
from frontend.words import level_text, percent
from tauscope.contracts.curves import Curves
from tauscope.contracts.experiments import ExperimentView

F_MEM = "f_mem"
CONTROL = "f_mem_control"


def memorization_panel(
    experiment: ExperimentView,
    lines: Sequence[SeedLine],
    focus: Group | None,
    panel: Panel,
    frame: Frame,
    *,
    curves: Curves,
    drawn: Curves,
    options: ViewOptions,
) -> Drawing:
    """f_mem, or what else defines tau_mem, against training time.

    Raises:
        FigureError: if a run has f_mem without its control.
    """
    drawing, groups, metric = Drawing(), [line.members for line in lines], copying_metric(experiment)
    palette = options.palette
    overlaid = options.view == "overlay" and not options.part
    title = _title(groups, curves, metric, options) + (", dashed" if overlaid else "")
    # Where both titles do not fit beside each other, this one stands above.
    aside = overlaid and not options.narrow
    place = {"xanchor": "right" if aside else "left", "yanchor": "bottom", "yshift": 24 if overlaid and options.narrow else 8}
    drawing.annotations.append(label(1 if aside else 0, panel.top, title, colour=palette.memorization, **place))
    # Bound before the first point, so that a control that arrives in the browser is drawn with its f_mem.
    if metric == F_MEM:
        drawing.traces.extend(control_curves(groups, panel, metric=CONTROL, curves=curves, options=options))
    for run in (run for group in groups for run in group.runs):
        if series_of(curves, run, F_MEM) is not None:
            require_control(curves, run, CONTROL)
    copied = line_traces(lines, metric, panel, focus=focus, drawn=drawn, options=options)
    drawing.traces.extend(map(dashed, copied) if overlaid else copied)
    drawing.traces.extend(common_rings(groups, metric, panel, curves=drawn, options=options))
    defining = level_of(experiment, "tau_mem")
    # Overlaid, the quality of each n is labelled and its f_mem has the same colour; twice as many labels would meet.
    ends = line_ends(lines, metric, focus=focus, curves=drawn, options=options)
    room = Room(frame, ends, [0.0, *([defining[1]] if defining else [])])
    _draw_level(drawing, experiment, lines, focus, panel, room, drawn=drawn, options=options)
    values = [value for group in groups for run in group.runs if (s := series_of(curves, run, CONTROL)) for value in s.value]
    drawing.annotations.extend(control_words([value for value in values if value is not None], panel, room, options))
    drawing.annotations.extend([] if overlaid else room.labels(panel.axis))
    drawing.annotations.extend(breaks(groups, metric, panel, curves=curves, options=options))
    return drawing


def copying_range(curves: Curves, metric: str) -> tuple[float, float]:
    """The vertical range: a share, and further down where the quantity that is shown falls below 0."""
    low, _ = value_range(curves, [metric]) or (0.0, 1.0)
    return min(0.0, max(low, -1.0)) - 0.03, 1.03


def _title(groups: Sequence[Group], curves: Curves, metric: str, options: ViewOptions) -> str:
    if metric != F_MEM:
        info = metric_info(curves, metric)
        return f"<b>{title_of(info)}</b>" + ("" if options.narrow else f", {info.unit}")
    counts = {count for group in groups for run in group.runs if (s := series_of(curves, run, F_MEM)) for count in s.count if count}
    of = f", share of {next(iter(counts)):,}" if len(counts) == 1 else ", share of samples"
    return f"<b>Memorized, f<sub>mem</sub></b>{of}"


def _draw_level(
    drawing: Drawing,
    experiment: ExperimentView,
    lines: Sequence[SeedLine],
    focus: Group | None,
    panel: Panel,
    room: Room,
    *,
    drawn: Curves,
    options: ViewOptions,
) -> None:
    defining = level_of(experiment, "tau_mem")
    if defining is None:
        return
    palette, level = options.palette, defining[1]
    overlaid = options.view == "overlay"
    drawing.shapes.append(threshold(level, panel, colour=palette.memorization, x_range=room.frame.x_range, overlaid=overlaid))
    drawing.annotations.append(room.words(level, f"copying level: {level_text(defining[0], level)}", palette.memorization, panel.axis))
    drawing.shapes.extend(onset_bands("tau_mem", lines, panel, focus=focus, drawn=drawn, options=options))
    marked = [line.marked("tau_mem") for line in lines]
    drawing.traces.extend(reached_onsets("tau_mem", marked, level, panel, curves=drawn, options=options))
    foretold = [
        mark
        for line in lines
        for run in line.members.runs
        for mark in forecast_marks(run, y=level, yaxis=panel.axis, end=room.frame.x_range[1], options=options)
    ]
    drawing.traces.extend(joined(foretold) if crowded(drawn) else foretold)


def control_words(values: Sequence[float], panel: Panel, room: Room, options: ViewOptions) -> list[Annotation]:
    """The range of the held-out control over all runs, on its highest value; nothing before it is measured."""
    if not values:
        return []
    low, high = percent(min(values)), percent(max(values))
    spread = high if low == high else f"{low.removesuffix(' %')} to {high}"
    text = f"control: {spread}" if options.narrow else f"held-out control: {spread}"
    return [room.words(max(values), text, options.palette.ink_3, panel.axis)]
