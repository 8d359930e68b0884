"""The memorized fraction of one run as it was measured and as it was measured again: each estimate with interval and control."""

from collections.abc import Mapping, Sequence
from typing import Any

from frontend.charts.axes import base_layout, log_axis, plain_axis, share_ticks
from frontend.charts.figure import Trace, ViewOptions
from frontend.charts.memorization import CONTROL, F_MEM
from frontend.words import percent, steps
from tauscope.contracts.curves import Series

SYMBOLS = ("circle", "diamond-open", "square-open", "triangle-up-open", "star-open", "x-open", "hexagon-open")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
Estimates = Sequence[tuple[str, Mapping[str, Series]]]
"""Each estimate with its name, the run's own first: metric to series."""


def remeasured_figure(estimates: Estimates, options: ViewOptions, *, height: float) -> dict[str, Any]:
    """The figure; the first estimate is the run's own. Red is what was copied, whoever counted: marks tell the estimates apart."""
    drawn = [(name, series) for name, series in estimates if F_MEM in series]
    at = [step for _, series in drawn for step in series[F_MEM].step]
    bounds = (min(at) / 1.2, max(at) * 1.2)
    traces = [trace for place, (name, series) in enumerate(drawn) for trace in _traces(place, name, series, options)]
    return {
        "data": traces,
        "layout": {
            **base_layout(options, height),
            "hovermode": "closest",
            "showlegend": True,
            "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom", "font": {"size": 12}},
            "margin": {"l": 52, "r": 16, "t": 24 + 22 * len(drawn) if options.narrow else 46, "b": 46},
            "xaxis": log_axis(options, bounds, "training time τ, steps (log)"),
            "yaxis": plain_axis(options, "share of samples that are copies") | share_ticks() | {"range": [-0.03, 1.03]},
            "meta": {"height": height},
        },
    }


def _traces(place: int, name: str, found: Mapping[str, Series], options: ViewOptions) -> list[Trace]:
    palette, symbol, dash = options.palette, SYMBOLS[place % len(SYMBOLS)], DASHES[place % len(DASHES)]
    copied = _trace(found[F_MEM], f"{name}: copies", palette.memorization, symbol, dash)
    control = found.get(CONTROL)
    return [copied, *([_trace(control, f"{name}: held-out control", palette.control, symbol, dash)] if control else [])]


def _trace(series: Series, name: str, colour: str, symbol: str, dash: str) -> Trace:
    columns = zip(series.step, series.value, series.low, series.high, series.count, strict=True)
    rows = [row for row in columns if row[1] is not None and row[2] is not None and row[3] is not None]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": name,
        "x": [row[0] for row in rows],
        "y": [row[1] for row in rows],
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": [(row[3] or 0.0) - (row[1] or 0.0) for row in rows],
            "arrayminus": [(row[1] or 0.0) - (row[2] or 0.0) for row in rows],
            "thickness": 1,
            "width": 0,
        },
        "line": {"color": colour, "width": 1.5, "dash": dash},
        "marker": {"size": 8, "symbol": symbol, "color": colour},
        "text": [f"<b>{percent(row[1] or 0.0)}</b> ({_spread(row[2], row[3])}) of {row[4] or 0:,} at τ {steps(row[0])}" for row in rows],
        "hovertemplate": "%{text}<extra>%{fullData.name}</extra>",
    }


def _spread(low: float | None, high: float | None) -> str:
    return f"{percent(low or 0.0)} to {percent(high or 0.0)}"
