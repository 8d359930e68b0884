"""The axes of the time figure: one logarithmic time for every panel, and each panel's own height."""

import math
from collections.abc import Mapping
from typing import Any

from frontend.charts.figure import Panel, ViewOptions, log_ticks
from frontend.charts.labels import Frame
from frontend.theme import SANS
from frontend.words import AXIS_SYMBOLS, AXIS_TITLES

HEAD, FOOT = 40, 46
SHARES = (0, 0.25, 0.5, 0.75, 1)


def base_layout(options: ViewOptions, height: float) -> dict[str, Any]:
    """What every figure of a page has in common: size, margins, type, hover box."""
    palette = options.palette
    left, right = options.margins
    return {
        "height": height,
        "margin": {"l": left, "r": right, "t": HEAD, "b": FOOT},
        "paper_bgcolor": palette.surface,
        "plot_bgcolor": palette.surface,
        "font": {"family": f"{SANS}, sans-serif", "size": 12, "color": palette.ink_2},
        "showlegend": False,
        "hoverlabel": {
            "bgcolor": palette.surface,
            "bordercolor": palette.rule,
            "font": {"color": palette.ink_1, "size": 12},
            "align": "left",
        },
        "dragmode": "zoom",
    }


def plain_axis(options: ViewOptions, title: str = "") -> dict[str, Any]:
    """An axis without line or ticks, its labels in ink 2."""
    palette = options.palette
    axis = {"gridcolor": palette.grid, "zeroline": False, "showline": False, "ticks": "", "tickfont": {"color": palette.ink_2, "size": 12}}
    return axis | ({"title": {"text": title, "font": {"size": 12, "color": palette.ink_2}, "standoff": 8}} if title else {})


def log_axis(options: ViewOptions, bounds: tuple[float, float], title: str) -> dict[str, Any]:
    """A horizontal logarithmic axis with labels at decades and a minor grid."""
    return {
        **plain_axis(options, title),
        "type": "log",
        "range": [math.log10(bounds[0]), math.log10(bounds[1])],
        "tickvals": log_ticks(*bounds),
        "tickformat": ",~r",
        "hoverformat": ",.4~r",
        "minor": {"showgrid": True, "gridcolor": options.palette.grid, "dtick": "D1"},
    }


def time_axes(
    panels: Mapping[str, Panel],
    frames: Mapping[str, Frame],
    n_rows: int,
    x_range: tuple[float, float],
    options: ViewOptions,
    *,
    shares: bool = True,
) -> dict[str, Any]:
    """Every axis of the time figure; ``shares``: copying is a share, in percent, and no number of its own like alpha."""
    time = {
        **log_axis(options, x_range, AXIS_TITLES[options.axis]),
        "anchor": "free",
        "position": 0,
        "unifiedhovertitle": {"text": f"<b>{AXIS_SYMBOLS[options.axis]} %{{x:,.3~r}}</b>"},
        "showspikes": True,
        "spikemode": "across",
        "spikethickness": 1,
        "spikecolor": options.palette.ink_3,
        "spikedash": "solid",
    }
    axes = {"xaxis": time}
    for name, panel in panels.items():
        place = {"domain": [panel.bottom, panel.top]}
        axes[panel.layout_key] = {**plain_axis(options), **place, **_vertical(name, frames, n_rows, shares=shares)}
    if options.view == "overlay" and {"quality", "memorization"} <= set(panels):
        # A grid for each of two scales in one frame would be two grids.
        axes[panels["memorization"].layout_key] |= {"overlaying": panels["quality"].axis, "showgrid": False}
    return axes


def _vertical(name: str, frames: Mapping[str, Frame], n_rows: int, *, shares: bool) -> dict[str, Any]:
    if name == "rail":
        return {"range": [0.5 - max(1, n_rows), 0.5], "showticklabels": False, "showgrid": False, "fixedrange": True}
    if name == "memorization":
        ticks = share_ticks() if shares else {"tickvals": list(SHARES), "tickformat": "~g"}
        return {"range": list(frames[name].y_range), **ticks, "side": "right"}
    return value_axis(frames[name].y_range, log=frames[name].log_y)


def share_ticks() -> dict[str, Any]:
    """Shares in percent."""
    return {"tickvals": list(SHARES), "ticktext": [f"{100 * tick:.0f} %" for tick in SHARES], "tickmode": "array"}


def value_axis(bounds: tuple[float, float], *, log: bool) -> dict[str, Any]:
    """The axis of a quantity, logarithmic if its metric says so."""
    low, high = bounds
    if not log:
        return {"range": [low, high], "tickformat": "~g", "nticks": 6}
    return {"type": "log", "range": [math.log10(low), math.log10(high)], "tickvals": _spread(low, high), "tickformat": "~g"}


def _spread(low: float, high: float) -> list[float]:
    """Log ticks; where fewer than two decimal steps fit, finer ones."""
    ticks = log_ticks(low, high)
    if len(ticks) >= 3:
        return ticks
    return [round(value, 3) for value in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0, 1.2, 1.5, 2.0, 3.0, 5.0) if low <= value <= high]
