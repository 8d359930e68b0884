"""The experiment's figure: quality, memorization, losses on request and the run rail over one logarithmic time axis."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from frontend.charts.axes import FOOT, HEAD, base_layout, time_axes
from frontend.charts.figure import Annotation, Panel, Shape, ViewOptions, label
from frontend.charts.forecast import forecast_window
from frontend.charts.groups import Group, focused, group_runs, run_name
from frontend.charts.labels import Frame
from frontend.charts.losses import loss_metrics, loss_panel, loss_range
from frontend.charts.marks import ONSETS
from frontend.charts.memorization import CONTROL, F_MEM, copying_range, memorization_panel
from frontend.charts.path import path_figure
from frontend.charts.printing import printed, projected
from frontend.charts.quality import Drawing, quality_panel, quality_range
from frontend.charts.rail import rail_panel, rail_rows
from frontend.charts.reading import FRECHET, copying_metric, divisor, level_of, metric_info, quality_choices, references_of, time_range
from frontend.charts.seed_lines import SeedLine, drawn_curves, seed_lines
from frontend.charts.theory import loss_constants
from frontend.charts.window import window_of
from frontend.theme import with_opacity
from tauscope.contracts.curves import Curves
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.run_views import RunView

_HEIGHTS = {"quality": 176, "memorization": 158, "losses": 150}
_GAP = 44
_USUAL_NAME, _MOST_NAMES = 9, 260  # Letters of a run's name that fit the usual margin, and pixels for the longest.
# What stands over the chart and the line of keys under it, in pixels.
_ABOVE, _ABOVE_IN_TALK = 245, 115
_AXES = {"quality": "y", "memorization": "y2", "rail": "y3", "losses": "y4"}


def watched(experiment: ExperimentView, options: ViewOptions) -> tuple[str, ...] | None:
    """The metrics that a figure is drawn from; ``None``, for all, where nothing says which quality that is."""
    defining = level_of(experiment, "tau_gen")
    quality = options.quality or (defining[0] if defining else None)
    if quality is None:
        return None
    marked = {mark.metric for run in experiment.runs for mark in (*run.onsets.values(), *run.markers.values())}
    stated = loss_constants(options.losses) if options.losses is not None else ()
    return tuple(sorted({*_metrics(experiment, options, quality), *references_of(quality), CONTROL, *stated, *marked}))


def experiment_figure(experiment: ExperimentView, curves: Curves, options: ViewOptions) -> dict[str, Any]:
    """The description of a figure of the watch page; curve data are bound by name (see ``filling``).

    Raises:
        FigureError: if a run has f_mem without its control.
    """
    metric = options.quality or next(iter(quality_choices(experiment, curves)), FRECHET)
    as_path = options.view == "path" and not options.part and copying_metric(experiment) == F_MEM
    made = (path_figure if as_path else _time_figure)(experiment, curves, options, metric)
    if options.print_mm:
        return printed(made, options)
    return projected(made) if options.talk else made


def _time_figure(experiment: ExperimentView, curves: Curves, options: ViewOptions, metric: str) -> dict[str, Any]:
    groups = group_runs(experiment, options.palette)
    options = replace(options, left=_room_for_names(groups))
    lines = seed_lines(groups, curves, apart=options.apart)
    drawn = drawn_curves(lines, curves, _metrics(experiment, options, metric))
    focus = focused(groups, options.focus)
    in_focus = next((line for line in lines if line.members is focus), None)
    rows = rail_rows(groups)
    scale = _scale(len(rows), options)
    panels, height = _panels(len(rows), scale, options)
    low, high = time_range(experiment, curves, options)
    x_range = (low / 1.18, high * (high / low) ** 0.10)
    frames = _frames(experiment, curves, options, metric, x_range=x_range, scale=scale, walls=_window_ends(in_focus, options))
    drawings = _drawings(experiment, curves, drawn, options, metric, lines=lines, focus=focus, panels=panels, frames=frames)
    shapes, annotations = _focus_window(in_focus, panels, options)
    annotations += _waiting(curves, panels, options)
    return {
        "data": [trace for drawing in drawings for trace in drawing.traces],
        "means": _means(lines, drawn),
        "layout": {
            **base_layout(options, height),
            "hovermode": "x unified",
            "hoversubplots": "axis",
            **time_axes(panels, frames, len(rows), x_range, options, shares=copying_metric(experiment) == F_MEM),
            "shapes": shapes + [shape for drawing in drawings for shape in drawing.shapes],
            "annotations": annotations + [item for drawing in drawings for item in drawing.annotations],
            "meta": {"rows": [group.key for group, _ in rows], "height": height},
            # The same revision keeps the viewer's zoom while data arrive; another axis or metric starts afresh.
            "uirevision": f"{experiment.id}/{options.axis}/{metric}/{options.view}",
        },
    }


def _metrics(experiment: ExperimentView, options: ViewOptions, metric: str) -> tuple[str, ...]:
    """What the lines show; the control is drawn of every run."""
    return (metric, copying_metric(experiment), *(loss_metrics(options.losses) if options.losses is not None else ()))


def _means(lines: Sequence[SeedLine], drawn: Curves) -> dict[str, dict[str, Any]]:
    """The series of the means by id and metric, which the browser binds to as to those of a run."""
    means = {line.run.id: drawn.runs.get(line.run.id, {}) for line in lines if line.is_mean}
    return {run: {metric: series.model_dump(mode="json") for metric, series in found.items()} for run, found in means.items()}


def _drawings(
    experiment: ExperimentView,
    curves: Curves,
    drawn: Curves,
    options: ViewOptions,
    metric: str,
    *,
    lines: Sequence[SeedLine],
    focus: Group | None,
    panels: dict[str, Panel],
    frames: dict[str, Frame],
) -> list[Drawing]:
    drawings: list[Drawing] = []
    given = {"curves": curves, "drawn": drawn, "options": options}
    for name, panel in panels.items():
        match name:
            case "quality":
                drawings.append(quality_panel(experiment, lines, focus, panel, frames[name], **given, metric=metric))  # type: ignore[arg-type]
            case "memorization":
                drawings.append(memorization_panel(experiment, lines, focus, panel, frames[name], **given))  # type: ignore[arg-type]
            case "losses":
                drawings.append(loss_panel(lines, focus, panel, frames[name], **given, index=options.losses or 0))  # type: ignore[arg-type]
            case "rail":
                rows = rail_rows([line.members for line in lines])
                drawings.append(rail_panel(rows, focus, panel, x_range=frames["memorization"].x_range, curves=curves, options=options))
    return drawings


def _room_for_names(groups: Sequence[Group]) -> int | None:
    """Pixels at the left for the names of runs, where those are longer than is usual: ``guidance = 0``."""
    longest = max((len(group.name) for group in groups), default=0)
    return min(_MOST_NAMES, 28 + 7 * longest) if longest > _USUAL_NAME else None


def _frames(
    experiment: ExperimentView,
    curves: Curves,
    options: ViewOptions,
    metric: str,
    *,
    x_range: tuple[float, float],
    scale: float,
    walls: tuple[float, ...],
) -> dict[str, Frame]:
    ranges = {
        "quality": quality_range(experiment, curves, metric),
        "memorization": copying_range(curves, copying_metric(experiment)),
        "losses": loss_range(curves, options.losses or 0),
    }
    log = {"quality": metric_info(curves, metric).log_scale, "memorization": False, "losses": True}
    # Right of f_mem stand its ticks, and right of the distances the words on what a copier scores.
    ticks_beside = bool(references_of(metric)) or options.view == "overlay"
    beyond = {"quality": 0 if ticks_beside else options.margins[1] - 8, "memorization": 0, "losses": options.margins[1] - 8}
    place = {"x_range": x_range, "width": options.plot_width, "walls": walls}
    lowest = _names(options)[-1]
    sizes = {name: {"height": scale * _HEIGHTS[name], "floor": name == lowest} for name in ranges}
    return {
        name: Frame(y_range=ranges[name], log_y=log[name], beyond=beyond[name], **sizes[name], **place)  # type: ignore[arg-type]
        for name in ranges
    }


def _names(options: ViewOptions) -> list[str]:
    """The panels from top to bottom; a print has no rail, whose words would not fit."""
    if options.part:
        return [options.part]
    return ["quality", "memorization", *(["losses"] if options.losses is not None else []), *([] if options.print_mm else ["rail"])]


def _scale(n_rows: int, options: ViewOptions) -> float:
    """How much the panels grow or shrink so that quality, copying and the rail stand on one screen, or fit the print."""
    if options.print_mm:
        return 0.7 if options.narrow else 0.95
    upper = max(_HEIGHTS["quality"], _HEIGHTS["memorization"]) if options.view == "overlay" else 176 + 158
    fixed = (_ABOVE_IN_TALK if options.talk else _ABOVE) + HEAD + FOOT + 2 * _GAP + _rail_height(n_rows)
    return min(2.4 if options.view == "overlay" else 1.8, max(0.72, ((options.viewport or 900) - fixed) / upper))


def _rail_height(n_rows: int) -> int:
    return max(1, n_rows) * (28 if n_rows <= 12 else 19)


def _panels(n_rows: int, scale: float, options: ViewOptions) -> tuple[dict[str, Panel], float]:
    names = _names(options)
    overlay = options.view == "overlay" and names[:2] == ["quality", "memorization"]
    heights = {name: float(_rail_height(n_rows)) if name == "rail" else scale * _HEIGHTS[name] for name in names}
    stacked = [name for name in names if not (overlay and name == "memorization")]
    total = sum(heights[name] for name in stacked) + _GAP * (len(stacked) - 1)
    panels, top = {}, total
    for name in stacked:
        panels[name] = Panel(_AXES[name], bottom=max(0.0, (top - heights[name]) / total), top=min(1.0, top / total))  # type: ignore[arg-type]
        top -= heights[name] + _GAP
    if overlay:
        panels["memorization"] = Panel("y2", bottom=panels["quality"].bottom, top=panels["quality"].top)
    return {name: panels[name] for name in names}, total + HEAD + FOOT


def _windowed(focus: SeedLine | None) -> tuple[RunView, str] | None:
    """Whose window stands in the panels, and its name: that of the mean where every seed has both onsets, else the first seed's."""
    if focus is None:
        return None
    if focus.is_mean and len(focus.run.onsets) == len(ONSETS):
        return focus.run, focus.heading
    return focus.members.runs[0], run_name(focus.members, focus.members.runs[0])


def _focus_window(focus: SeedLine | None, panels: dict[str, Panel], options: ViewOptions) -> tuple[list[Shape], list[Annotation]]:
    """The window of the focused n, one band through quality and memorization with a line at each end."""
    run, name = _windowed(focus) or (None, "")
    window = window_of(run) if run else None
    shown = [panels[name] for name in ("quality", "memorization") if name in panels]
    if run is None or window is None or not shown:
        return [], []
    palette, by = options.palette, divisor(run, options)
    start, end = window.start / by, window.end / by
    place = {"xref": "x", "yref": "paper", "y0": shown[-1].bottom, "y1": shown[0].top, "layer": "below"}
    tint = with_opacity(palette.quality, palette.window_opacity)
    shapes: list[Shape] = [
        {"type": "rect", **place, "x0": start, "x1": end, "fillcolor": tint, "line": {"width": 0}},
        {"type": "line", **place, "x0": start, "x1": start, "line": {"color": palette.quality, "width": 1}},
    ]
    ahead = forecast_window(run, opacity=palette.window_opacity, options=options)
    if ahead is not None:
        shapes.append({**ahead, **place})
    if not window.open:
        shapes.append({"type": "line", **place, "x0": end, "x1": end, "line": {"color": palette.memorization, "width": 1}})
    if options.narrow:
        return shapes, []
    text = f"<b>window of {name}</b>, {window.words}"
    shift = 24 if options.view == "overlay" and not options.part else 8
    return shapes, [label(1, shown[0].top, text, colour=palette.quality, xanchor="right", yanchor="bottom", yshift=shift)]


def _window_ends(focus: SeedLine | None, options: ViewOptions) -> tuple[float, ...]:
    """Where the lines of the focused window stand."""
    run, _ = _windowed(focus) or (None, "")
    window = window_of(run) if run else None
    if run is None or window is None:
        return ()
    by = divisor(run, options)
    return (window.start / by,) if window.open else (window.start / by, window.end / by)


def _waiting(curves: Curves, panels: dict[str, Panel], options: ViewOptions) -> list[Annotation]:
    if any(curves.runs.values()):
        return []
    words = "No measurement yet: the first point appears here by itself"
    panel = panels.get("memorization") or next(iter(panels.values()))
    # Between the grid's lines, above every level.
    height = panel.bottom + 0.62 * (panel.top - panel.bottom)
    return [label(0.5, height, words, colour=options.palette.ink_2, xanchor="center", name="waiting", bgcolor=options.palette.surface)]
