"""The experiment's figure: quality, memorization, losses on request and the run rail over one logarithmic time axis."""

import math
from collections.abc import Sequence
from typing import Any

from frontend.charts.figure import MARGIN_LEFT, MARGIN_RIGHT, Annotation, Panel, Shape, ViewOptions, label, log_ticks
from frontend.charts.groups import Group, focused, group_runs
from frontend.charts.labels import Frame
from frontend.charts.losses import loss_panel, loss_range
from frontend.charts.memorization import memorization_panel
from frontend.charts.quality import quality_panel, quality_range
from frontend.charts.rail import Row, rail_panel, rail_rows
from frontend.charts.reading import divisor, metric_info, quality_choices, time_range
from frontend.charts.window import window_of
from frontend.theme import SANS, with_opacity
from frontend.words import AXIS_TITLES
from tauscope.contracts.experiments import Curves, ExperimentView

_HEIGHTS = {"quality": 176, "memorization": 158, "losses": 150}
_GAP, _HEAD, _FOOT = 44, 40, 46
# What stands over the chart and the line of keys under it, in pixels.
_ABOVE = 245


def experiment_figure(experiment: ExperimentView, curves: Curves, options: ViewOptions) -> dict[str, Any]:
    """The description of the whole stacked figure; curve data are bound by name (see ``filling``).

    Raises:
        FigureError: if a run has f_mem without its control.
    """
    groups = group_runs(experiment, options.palette)
    focus = focused(groups, options.focus)
    rows = rail_rows(groups)
    scale = _scale(len(rows), options.viewport)
    panels, height = _panels(len(rows), scale, losses=options.losses is not None)
    low, high = time_range(experiment, curves, options)
    x_range = (low / 1.18, high * (high / low) ** 0.10)
    metric = options.quality or next(iter(quality_choices(experiment, curves)), "frechet_pca")
    ranges = {
        "quality": quality_range(experiment, curves, metric),
        "memorization": (-0.03, 1.03),
        "losses": loss_range(curves, options.losses or 0),
    }
    frames = {
        name: Frame(
            x_range,
            ranges[name],
            options.plot_width,
            scale * _HEIGHTS[name],
            log_y=name != "memorization" and (name == "losses" or _log(curves, metric)),
        )
        for name in ranges
    }
    drawings = [
        quality_panel(experiment, groups, focus, panels["quality"], frames["quality"], curves=curves, options=options, metric=metric),
        memorization_panel(experiment, groups, focus, panels["memorization"], frames["memorization"], curves=curves, options=options),
        rail_panel(rows, focus, panels["rail"], x_range=x_range, curves=curves, options=options),
    ]
    if options.losses is not None:
        drawings.append(loss_panel(groups, focus, panels["losses"], frames["losses"], curves=curves, options=options, index=options.losses))
    shapes, annotations = _focus_window(focus, panels, options)
    annotations += _waiting(curves, panels, options)
    return {
        "data": [trace for drawing in drawings for trace in drawing.traces],
        "layout": {
            **_base_layout(options, height),
            **_axes(panels, frames, rows, x_range, options),
            "shapes": shapes + [shape for drawing in drawings for shape in drawing.shapes],
            "annotations": annotations + [item for drawing in drawings for item in drawing.annotations],
            "meta": {"rows": [group.key for group, _ in rows], "height": height},
            # The same revision keeps the viewer's zoom while data arrive; another axis or metric starts afresh.
            "uirevision": f"{experiment.id}/{options.axis}/{metric}",
        },
    }


def _scale(n_rows: int, viewport: int | None) -> float:
    """How much the panels grow or shrink so that quality, copying and the rail stand on one screen."""
    fixed = _ABOVE + _HEAD + _FOOT + 2 * _GAP + _rail_height(n_rows)
    room = ((viewport or 900) - fixed) / (_HEIGHTS["quality"] + _HEIGHTS["memorization"])
    return min(1.8, max(0.72, room))


def _rail_height(n_rows: int) -> int:
    return max(1, n_rows) * (28 if n_rows <= 12 else 19)


def _panels(n_rows: int, scale: float, *, losses: bool) -> tuple[dict[str, Panel], float]:
    heights = [("quality", scale * _HEIGHTS["quality"]), ("memorization", scale * _HEIGHTS["memorization"])]
    heights += [("losses", scale * _HEIGHTS["losses"])] if losses else []
    heights += [("rail", float(_rail_height(n_rows)))]
    total = sum(height for _, height in heights) + _GAP * (len(heights) - 1)
    axes = {"quality": "y", "memorization": "y2", "rail": "y3", "losses": "y4"}
    panels, top = {}, float(total)
    for name, height in heights:
        panels[name] = Panel(axes[name], bottom=max(0.0, (top - height) / total), top=min(1.0, top / total))  # type: ignore[arg-type]
        top -= height + _GAP
    return panels, total + _HEAD + _FOOT


def _log(curves: Curves, metric: str) -> bool:
    return metric_info(curves, metric).log_scale


def _base_layout(options: ViewOptions, height: float) -> dict[str, Any]:
    palette = options.palette
    return {
        "height": height,
        "margin": {"l": MARGIN_LEFT, "r": MARGIN_RIGHT, "t": _HEAD, "b": _FOOT},
        "paper_bgcolor": palette.surface,
        "plot_bgcolor": palette.surface,
        "font": {"family": f"{SANS}, sans-serif", "size": 12, "color": palette.ink_2},
        "showlegend": False,
        "hovermode": "x unified",
        "hoversubplots": "axis",
        "hoverlabel": {
            "bgcolor": palette.surface,
            "bordercolor": palette.rule,
            "font": {"color": palette.ink_1, "size": 12},
            "align": "left",
        },
        "dragmode": "zoom",
    }


def _axes(
    panels: dict[str, Panel], frames: dict[str, Frame], rows: Sequence[Row], x_range: tuple[float, float], options: ViewOptions
) -> dict[str, Any]:
    palette = options.palette
    line = {"gridcolor": palette.grid, "zeroline": False, "showline": False, "ticks": "", "tickfont": {"color": palette.ink_2, "size": 12}}
    log_x = {
        "type": "log",
        "range": [_log10(x_range[0]), _log10(x_range[1])],
        "tickvals": log_ticks(*x_range),
        "tickformat": ",~r",
        "hoverformat": ",.4~r",
        "minor": {"showgrid": True, "gridcolor": palette.grid, "dtick": "D1"},
        "anchor": "free",
        "position": 0,
        "title": {"text": AXIS_TITLES[options.axis], "font": {"size": 12, "color": palette.ink_2}, "standoff": 8},
        "unifiedhovertitle": {"text": "<b>" + ("τ/n" if options.axis == "tau_n" else "τ") + " %{x:,.3~r}</b>"},
        "showspikes": True,
        "spikemode": "across",
        "spikethickness": 1,
        "spikecolor": palette.ink_3,
        "spikedash": "solid",
    }
    axes = {"xaxis": {**line, **log_x}}
    for name, panel in panels.items():
        axes[panel.layout_key] = {**line, "domain": [panel.bottom, panel.top], **_vertical(name, frames, rows)}
    return axes


def _vertical(name: str, frames: dict[str, Frame], rows: Sequence[Row]) -> dict[str, Any]:
    if name == "rail":
        return {"range": [0.5 - max(1, len(rows)), 0.5], "showticklabels": False, "showgrid": False, "fixedrange": True}
    if name == "memorization":
        ticks = [0, 0.25, 0.5, 0.75, 1]
        text = [f"{100 * tick:.0f} %" for tick in ticks]
        return {"range": list(frames[name].y_range), "tickvals": ticks, "ticktext": text, "side": "right", "tickmode": "array"}
    low, high = frames[name].y_range
    if not frames[name].log_y:
        return {"range": [low, high], "tickformat": "~g", "nticks": 6}
    return {"type": "log", "range": [_log10(low), _log10(high)], "tickvals": _spread(low, high), "tickformat": "~g"}


def _spread(low: float, high: float) -> list[float]:
    """Log ticks; where fewer than two decimal steps fit, finer ones."""
    ticks = log_ticks(low, high)
    if len(ticks) >= 3:
        return ticks
    return [round(value, 3) for value in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0, 1.2, 1.5, 2.0, 3.0, 5.0) if low <= value <= high]


def _log10(value: float) -> float:
    return math.log10(value)


def _focus_window(focus: Group | None, panels: dict[str, Panel], options: ViewOptions) -> tuple[list[Shape], list[Annotation]]:
    """The window of the focused n, one band through quality and memorization with a line at each end."""
    window = window_of(focus.runs[0]) if focus else None
    if focus is None or window is None:
        return [], []
    palette, by = options.palette, divisor(focus.runs[0], options)
    start, end = window.start / by, window.end / by
    place = {"xref": "x", "yref": "paper", "y0": panels["memorization"].bottom, "y1": panels["quality"].top, "layer": "below"}
    shapes: list[Shape] = [
        {
            "type": "rect",
            **place,
            "x0": start,
            "x1": end,
            "fillcolor": with_opacity(palette.quality, palette.window_opacity),
            "line": {"width": 0},
        },
        {"type": "line", **place, "x0": start, "x1": start, "line": {"color": palette.quality, "width": 1}},
    ]
    if not window.open:
        shapes.append({"type": "line", **place, "x0": end, "x1": end, "line": {"color": palette.memorization, "width": 1}})
    text = f"<b>window of {focus.name}</b>, {window.words}"
    title = label(1, panels["quality"].top, text, colour=palette.quality, xanchor="right", yanchor="bottom", yshift=8)
    return shapes, [title]


def _waiting(curves: Curves, panels: dict[str, Panel], options: ViewOptions) -> list[Annotation]:
    if any(curves.runs.values()):
        return []
    middle = (panels["quality"].bottom + panels["quality"].top) / 2
    return [
        label(
            0.5,
            middle,
            "No measurement yet: the first point appears here by itself",
            colour=options.palette.ink_3,
            xanchor="center",
            name="waiting",
        )
    ]
