"""The figure of a comparison: quality and memorization of every line over one logarithmic time axis, complete with its numbers."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from frontend.charts.axes import FOOT, HEAD, base_layout
from frontend.charts.compare_key import experiment_keys, is_keyed, key_place
from frontend.charts.compare_names import line_ends_of, named_ends
from frontend.charts.compare_panels import panel_frames, shared_axes, shared_time, stacked_panels
from frontend.charts.compared import Line
from frontend.charts.definitions import MARK, measured_otherwise
from frontend.charts.figure import Annotation, Panel, Trace, ViewOptions, bind_many, label
from frontend.charts.filling import fill
from frontend.charts.labels import Frame, Room
from frontend.charts.marks import OnsetName
from frontend.charts.memorization import CONTROL, F_MEM, control_words
from frontend.charts.panels import breaks, control_curve, crowded, curve, hover, reached_onsets, require_control, threshold
from frontend.charts.printing import printed
from frontend.charts.quality import Drawing, draw_references, reference_levels
from frontend.charts.reading import (
    divisor,
    has_interval,
    headed,
    level_of,
    metric_info,
    series_of,
    short_label,
    title_of,
)
from frontend.charts.seed_lines import drawn_curves
from frontend.charts.seed_traces import hover_of_mean, thin_seeds
from frontend.comparison import Part
from frontend.words import level_text
from tauscope.contracts.curves import Curves

_MOST_THIN = 48  # Seeds drawn one by one behind their means.
RIGHT = 176  # Pixels beside the panels for names at line ends.


def compare_figure(parts: Sequence[Part], lines: Sequence[Line], curves: Curves, options: ViewOptions, metric: str) -> dict[str, Any]:
    """A complete Plotly figure.

    Args:
        curves: of all experiments, see ``compared.merged``.
        metric: the quality that is drawn.

    Raises:
        FigureError: if a run has f_mem without its control.
    """
    drawn = drawn_curves(lines, curves, (metric, F_MEM, CONTROL))
    panels, height, legend = stacked_panels(parts, lines, options)
    x_range = shared_time(parts, curves, options)
    frames = panel_frames(parts, curves, options, metric, x_range=x_range, height=height - HEAD - FOOT - legend)
    drawings = [
        _quality(parts, lines, panels["quality"], frames["quality"], curves=curves, drawn=drawn, options=options, metric=metric),
        _memorization(parts, lines, panels["memorization"], frames["memorization"], curves=curves, drawn=drawn, options=options),
    ]
    layout = base_layout(options, height)
    made = {
        "data": [*[trace for drawing in drawings for trace in drawing.traces], *experiment_keys(parts, lines, options)],
        "layout": {
            **layout,
            "margin": {**layout["margin"], "t": HEAD + legend},
            "showlegend": is_keyed(parts, lines),
            "legend": key_place(height - HEAD - FOOT - legend, options),
            # A box with a line for each of many curves is read by nobody.
            "hovermode": "closest" if crowded(drawn) else "x unified",
            "hoversubplots": "axis",
            **shared_axes(panels, frames, x_range, options),
            "shapes": [shape for drawing in drawings for shape in drawing.shapes],
            "annotations": [*[item for drawing in drawings for item in drawing.annotations], *_waiting(curves, options)],
            "meta": {"height": height},
            # The same revision keeps the viewer's zoom while data arrive; another choice starts afresh.
            "uirevision": "/".join([options.axis, metric, *sorted(run.id for part in parts for run in part.runs)]),
        },
    }
    filled = fill(made, curves.model_copy(update={"runs": {**curves.runs, **drawn.runs}}))
    return printed(filled, options) if options.print_mm else filled


def _quality(
    parts: Sequence[Part],
    lines: Sequence[Line],
    panel: Panel,
    frame: Frame,
    *,
    curves: Curves,
    drawn: Curves,
    options: ViewOptions,
    metric: str,
) -> Drawing:
    drawing, otherwise = Drawing(), measured_otherwise(lines, metric)
    info = metric_info(curves, metric)
    title = headed(short_label(info) if options.narrow else title_of(info), info) + _marked(otherwise, options)
    drawing.annotations.append(label(0, panel.top, title, colour=options.palette.quality, yanchor="bottom", yshift=8))
    _draw_curves(drawing, lines, metric, panel, curves=curves, drawn=drawn, options=options)
    levels = [level for (name, level) in _levels(parts, "tau_gen") if name == metric]
    groups = [line.members for line in lines]
    references = reference_levels(groups, curves, metric)
    room = Room(frame, line_ends_of(lines, metric, drawn, options, otherwise), [*levels, *references])
    _draw_levels(drawing, parts, lines, "tau_gen", metric, panel, room, curves=curves, options=options)
    draw_references(drawing, groups, panel, curves=curves, options=options, room=room, metric=metric)
    drawing.annotations.extend(named_ends(room, panel, options, crowd=crowded(drawn)))
    return drawing


def _memorization(
    parts: Sequence[Part], lines: Sequence[Line], panel: Panel, frame: Frame, *, curves: Curves, drawn: Curves, options: ViewOptions
) -> Drawing:
    """f_mem with the held-out control of every run.

    Raises:
        FigureError: if a run has f_mem without its control.
    """
    drawing, otherwise = Drawing(), measured_otherwise(lines, F_MEM)
    runs = [run for line in lines for run in line.members.runs]
    for run in runs:
        if series_of(curves, run, F_MEM) is not None:
            require_control(curves, run, CONTROL)
    title = f"<b>Memorized, f<sub>mem</sub></b>, share of samples{_marked(otherwise, options)}"
    drawing.annotations.append(label(0, panel.top, title, colour=options.palette.memorization, yanchor="bottom", yshift=8))
    drawing.traces.append(control_curve(panel, bind_many([(run.id, divisor(run, options)) for run in runs], CONTROL), options))
    _draw_curves(drawing, lines, F_MEM, panel, curves=curves, drawn=drawn, options=options)
    levels = [0.0, *[level for _, level in _levels(parts, "tau_mem")]]
    room = Room(frame, line_ends_of(lines, F_MEM, drawn, options, otherwise), levels)
    _draw_levels(drawing, parts, lines, "tau_mem", F_MEM, panel, room, curves=curves, options=options)
    drawing.annotations.extend(control_words(_control_values(lines, curves), panel, room, options))
    drawing.annotations.extend(named_ends(room, panel, options, crowd=crowded(drawn)))
    return drawing


def _marked(otherwise: Mapping[str, str], options: ViewOptions) -> str:
    return (f" {MARK}" if options.narrow else f" · {MARK} measured otherwise") if otherwise else ""


def _draw_curves(
    drawing: Drawing, lines: Sequence[Line], metric: str, panel: Panel, *, curves: Curves, drawn: Curves, options: ViewOptions
) -> None:
    means = [line for line in lines if line.is_mean]
    if sum(len(line.members.runs) for line in means) <= _MOST_THIN:
        drawing.traces.extend(thin_seeds(line, metric, panel, options, line.dash) for line in means)
    for line in lines:
        focus = line.key == options.focus
        traces = curve(line.run, metric, panel, group=line.drawn, focus=focus, curves=drawn, options=options)
        drawing.traces.extend(_styled(trace, line, metric, drawn, options) for trace in traces)
        drawing.annotations.extend(breaks([line.members], metric, panel, curves=curves, options=options))


def _styled(trace: Trace, line: Line, metric: str, drawn: Curves, options: ViewOptions) -> Trace:
    """A curve in the style of its experiment; bands and rings as they are."""
    if "group" not in trace["meta"]:
        return trace
    return {
        **trace,
        "mode": "lines+markers",
        "line": {**trace["line"], "dash": line.dash},
        "marker": {**trace["marker"], "symbol": line.symbol, "size": 6, "maxdisplayed": 4 if crowded(drawn) else 14},
        "hoverinfo": "all",
        "hovertemplate": hover_of_mean(line.heading, metric)
        if line.is_mean
        else hover(line.name, metric, with_interval=has_interval(drawn, metric), options=options),
    }


def _levels(parts: Iterable[Part], onset: OnsetName) -> dict[tuple[str, float], list[Part]]:
    """The levels that define an onset, each with the experiments in which it does."""
    found: dict[tuple[str, float], list[Part]] = {}
    for part in parts:
        defining = level_of(part.experiment, onset)
        if defining is not None:
            found.setdefault(defining, []).append(part)
    return found


def _draw_levels(
    drawing: Drawing,
    parts: Sequence[Part],
    lines: Sequence[Line],
    onset: OnsetName,
    metric: str,
    panel: Panel,
    room: Room,
    *,
    curves: Curves,
    options: ViewOptions,
) -> None:
    """Each level once, named by its experiments where they differ, with the onsets that were reached on it."""
    palette = options.palette
    colour, what = (palette.quality, "good enough") if onset == "tau_gen" else (palette.memorization, "copying level")
    levels = {key: where for key, where in _levels(parts, onset).items() if key[0] == metric}
    for (_, level), where in levels.items():
        drawing.shapes.append(threshold(level, panel, colour=colour, x_range=room.frame.x_range))
        of = "" if len(where) == len(parts) else f" in {', '.join(part.letter for part in where)}"
        drawing.annotations.append(room.words(level, f"{what}: {level_text(metric, level)}{of}", colour, panel.axis))
        here = [line.members for line in lines if line.part in where]
        drawing.traces.extend(reached_onsets(onset, here, level, panel, curves=curves, options=options))


def _control_values(lines: Sequence[Line], curves: Curves) -> list[float]:
    series = [curves.runs.get(run.id, {}).get(CONTROL) for line in lines for run in line.members.runs]
    return [value for item in series if item for value in item.value if value is not None]


def _waiting(curves: Curves, options: ViewOptions) -> list[Annotation]:
    if any(curves.runs.values()):
        return []
    words = "No measurement yet: the first point appears here by itself"
    return [label(0.5, 0.3, words, colour=options.palette.ink_2, xanchor="center", bgcolor=options.palette.surface)]
