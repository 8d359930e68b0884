"""Quality against f_mem as a path through training: where a model becomes good, and where it begins to copy."""

import math
from collections.abc import Sequence
from typing import Any

from frontend.charts.axes import FOOT, HEAD, base_layout, plain_axis, share_ticks, value_axis
from frontend.charts.figure import Annotation, Shape, Trace, ViewOptions, bind_path, label, log_position, log_ticks
from frontend.charts.filling import value_at
from frontend.charts.groups import Group, focused, group_runs, run_name
from frontend.charts.labels import Frame, LineEnd, end_labels
from frontend.charts.memorization import CONTROL, F_MEM
from frontend.charts.panels import require_control
from frontend.charts.quality import quality_range
from frontend.charts.reading import headed, level_of, metric_info, series_of, short_label, time_range
from frontend.charts.window import window_of
from frontend.theme import ThemeName, with_opacity
from frontend.words import number, percent
from tauscope.contracts.curves import Curves
from tauscope.contracts.experiments import ExperimentView

_ABOVE, _ABOVE_IN_TALK, _MIN_HEIGHT, _PRINT_SHAPE = 300, 80, 380, 0.72
# Rising in lightness, for every colour vision (Cividis); on a dark page it starts where the page does not swallow it.
_SCALES: dict[ThemeName, str | list[list[Any]]] = {"light": "Cividis", "dark": [[0, "#5B7DB8"], [0.5, "#A8A59B"], [1, "#FFE945"]]}
_COPIED = (-0.03, 1.08)
_STEPS = ViewOptions(axis="tau")


def path_figure(experiment: ExperimentView, curves: Curves, options: ViewOptions, metric: str) -> dict[str, Any]:
    """One path per run, its points coloured by log training time; the part within the window is underlaid.

    Raises:
        FigureError: if a run has f_mem without its control.
    """
    groups = group_runs(experiment, options.palette)
    focus = focused(groups, options.focus)
    times = time_range(experiment, curves, _STEPS)
    low, high = quality_range(experiment, curves, metric)
    info = metric_info(curves, metric)
    height = (
        options.pixels * _PRINT_SHAPE
        if options.print_mm
        else max(_MIN_HEIGHT, (options.viewport or 900) - (_ABOVE_IN_TALK if options.talk else _ABOVE))
    )
    levels, words = _levels(experiment, curves, groups, metric, options)
    frame = Frame(_COPIED, (low, high), options.plot_width, height - HEAD - FOOT, log_y=info.log_scale, log_x=False)
    x_axis = {**plain_axis(options, "memorized, f<sub>mem</sub>, share of samples"), "range": list(_COPIED), **share_ticks()}
    return {
        "data": _traces(groups, focus, curves, options, metric, times),
        "layout": {
            **base_layout(options, height),
            "hovermode": "closest",
            "xaxis": x_axis,
            "yaxis": {**plain_axis(options), **value_axis((low, high), log=info.log_scale)},
            "shapes": levels,
            "annotations": [
                _title(headed(short_label(info), info), options),
                *words,
                *end_labels(_ends(groups, focus, curves, options, metric), frame, "y"),
            ],
            "meta": {"rows": [], "height": height},
            "uirevision": f"{experiment.id}/path/{metric}",
        },
    }


def _title(name: str, options: ViewOptions) -> Annotation:
    words = name if options.narrow else f"{name}, against copying; shaded: the window"
    return label(0, 1, words, colour=options.palette.quality, yanchor="bottom", yshift=8)


def _traces(
    groups: Sequence[Group], focus: Group | None, curves: Curves, options: ViewOptions, metric: str, times: tuple[float, float]
) -> list[Trace]:
    traces: list[Trace] = []
    for group in groups:
        for run in group.runs:
            if series_of(curves, run, F_MEM) is not None:
                require_control(curves, run, CONTROL)
            window = window_of(run)
            line = {"type": "scatter", "mode": "lines", "showlegend": False, "hoverinfo": "skip", "connectgaps": False, "cliponaxis": False}
            if window is not None:
                wide = {"color": with_opacity(options.palette.quality, 0.28), "width": 14}
                traces.append({**line, "line": wide, "meta": bind_path(run.id, metric, F_MEM, window=(window.start, window.end))})
            thick = 3 if group is focus else 1.5
            colour = group.colour if run is group.runs[0] else with_opacity(group.colour, 0.35)
            traces.append({**line, "line": {"color": colour, "width": thick}, "meta": bind_path(run.id, metric, F_MEM)})
            traces.append(_dots(run_name(group, run), run.id, metric, times, options))
    if traces:
        traces[-1]["marker"] |= {"showscale": True, "colorbar": _colour_bar(times, options)}
    return traces


def _dots(name: str, run_id: str, metric: str, times: tuple[float, float], options: ViewOptions) -> Trace:
    marker = {
        "size": 9,
        "colorscale": _SCALES[options.theme],
        "cmin": math.log10(times[0]),
        "cmax": math.log10(times[1]),
        "line": {"color": options.palette.ink_2, "width": 0.8},
    }
    template = (
        f"<b>{name}</b> · τ %{{customdata[3]:,}}<br>f<sub>mem</sub> %{{x:.1%}} (%{{customdata[0]:.1%}} to %{{customdata[1]:.1%}}) "
        "of %{customdata[2]:,}<br>quality %{y:.3~g}<extra></extra>"
    )
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "marker": marker,
        "showlegend": False,
        "cliponaxis": False,
        "hovertemplate": template,
        "meta": bind_path(run_id, metric, F_MEM),
    }


def _colour_bar(times: tuple[float, float], options: ViewOptions) -> dict[str, Any]:
    ticks = log_ticks(*times)
    return {
        "title": {"text": "τ (log)", "font": {"size": 12}},
        "tickvals": [math.log10(tick) for tick in ticks],
        "ticktext": [f"{tick:,g}" for tick in ticks],
        "tickfont": {"size": 12, "color": options.palette.ink_2},
        "thickness": 10,
        "outlinewidth": 0,
        "len": 0.8,
        "x": 1.02,
    }


def _levels(
    experiment: ExperimentView, curves: Curves, groups: Sequence[Group], metric: str, options: ViewOptions
) -> tuple[list[Shape], list[Annotation]]:
    """The two levels that define the onsets, and the held-out control of f_mem."""
    palette, gen, mem = options.palette, level_of(experiment, "tau_gen"), level_of(experiment, "tau_mem")
    shapes: list[Shape] = []
    words: list[Annotation] = []

    def upright(value: float, colour: str, text: str, lines: int = 0) -> None:
        shapes.append(_dotted(colour, x0=value, x1=value, y0=0, y1=1, yref="paper"))
        words.append(label(value, 1, text, colour=colour, xref="x", yanchor="top", xshift=4, yshift=-16 * lines))

    if gen and gen[0] == metric:
        height = log_position(gen[1]) if metric_info(curves, metric).log_scale else gen[1]
        shapes.append(_dotted(palette.quality, x0=0, x1=1, xref="paper", y0=gen[1], y1=gen[1]))
        text = f"good enough: {number(gen[1])}"
        words.append(label(1, height, text, colour=palette.quality, yref="y", yanchor="top", xanchor="right"))
    if mem:
        upright(mem[1], palette.memorization, f"copying level: {percent(mem[1])}")
    controls = [v for group in groups for run in group.runs if (s := series_of(curves, run, CONTROL)) for v in s.value if v is not None]
    if controls:
        upright(max(controls), palette.ink_3, f"held-out control: {percent(max(controls))}", lines=1 if options.narrow else 0)
    return shapes, words


def _dotted(colour: str, **place: Any) -> Shape:
    return {"type": "line", **place, "line": {"color": colour, "width": 1, "dash": "dot"}, "layer": "below"}


def _ends(groups: Sequence[Group], focus: Group | None, curves: Curves, options: ViewOptions, metric: str) -> list[LineEnd]:
    """The path of each n with its name."""
    found = []
    for group in groups:
        run = group.runs[0]
        copied, quality = series_of(curves, run, F_MEM), series_of(curves, run, metric)
        points = [(x, value_at(quality, step)) for step, x in zip(copied.step, copied.value, strict=True)] if copied else []
        known = tuple((x, y) for x, y in points if x is not None and y is not None)
        colour = options.palette.ink_1 if group is focus else options.palette.ink_2
        found.append(LineEnd(known, group.name, colour, bold=group is focus))
    return found
