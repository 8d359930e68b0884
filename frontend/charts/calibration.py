"""Observed over foretold tau_mem, one forecast a run, with both intervals and the line on which a perfect forecast lies."""

import math
from collections.abc import Sequence
from typing import Any

from frontend.charts.axes import base_layout, log_axis, plain_axis
from frontend.charts.figure import Trace, ViewOptions, label, log_position, log_ticks
from frontend.charts.marks import SYMBOLS
from frontend.theme import with_opacity
from frontend.words import interval, steps
from tauscope.contracts.forecasts import ForecastScore, ScoredForecast, Verdict
from tauscope.contracts.onsets import OnsetStatus


def calibration_figure(score: ForecastScore, options: ViewOptions, *, height: float) -> dict[str, Any]:
    """The figure; a run that ended before tau_mem, beyond its forecast, is an arrow up from its last measured step."""
    reached = [item for item in score.scored if item.outcome.status is OnsetStatus.REACHED]
    refuted = [item for item in score.scored if item.outcome.status is OnsetStatus.CENSORED]
    bounds = _bounds(score.scored)
    axis = {"type": "log", "range": [math.log10(end) for end in bounds], "tickvals": log_ticks(*bounds), "tickformat": ",~r"}
    return {
        "data": [
            _diagonal(bounds, options),
            *[_points(reached, verdict, options) for verdict in Verdict if any(item.forecast.verdict is verdict for item in reached)],
            *[_arrow(item, options) for item in refuted],
        ],
        "layout": {
            **base_layout(options, height),
            "hovermode": "closest",
            "xaxis": log_axis(options, bounds, "foretold τ<sub>mem</sub>, steps, with its 80 % interval (log)"),
            "yaxis": {**plain_axis(options, "measured τ<sub>mem</sub>, steps (log)"), **axis},
            "annotations": [
                label(
                    log_position(bounds[1]),
                    log_position(bounds[1]),
                    "as foretold",
                    colour=options.palette.ink_3,
                    xref="x",
                    yref="y",
                    xanchor="right",
                    yanchor="bottom",
                    xshift=-18,
                )
            ],
            "shapes": [],
            "meta": {"height": height},
        },
    }


def _bounds(scored: Sequence[ScoredForecast]) -> tuple[float, float]:
    values = [end for item in scored for end in (item.forecast.low, item.forecast.high, item.outcome.value, item.outcome.low) if end]
    return (min(values) / 1.3, max(values) * 1.3) if values else (10.0, 1000.0)


def _diagonal(bounds: tuple[float, float], options: ViewOptions) -> Trace:
    line = {"color": options.palette.ink_3, "width": 1.2, "dash": "dash"}
    return {
        "type": "scatter",
        "mode": "lines",
        "x": list(bounds),
        "y": list(bounds),
        "line": line,
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _points(reached: Sequence[ScoredForecast], verdict: Verdict, options: ViewOptions) -> Trace:
    """Filled where the interval held the outcome, hollow where it did not."""
    items = [item for item in reached if item.forecast.verdict is verdict]
    colour = options.palette.memorization
    symbol = SYMBOLS["tau_mem"] + ("" if verdict is Verdict.INSIDE else "-open")
    foretold = [_numbers(item) for item in items]
    measured = [item.outcome.value or 0.0 for item in items]
    lows = [item.outcome.low or value for item, value in zip(items, measured, strict=True)]
    highs = [item.outcome.high or value for item, value in zip(items, measured, strict=True)]
    bar = {"type": "data", "color": with_opacity(colour, 0.45), "thickness": 1.3, "width": 0}
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [median for _, median, _ in foretold],
        "y": measured,
        "error_x": {**bar, "array": [high - median for _, median, high in foretold], "arrayminus": [mid - low for low, mid, _ in foretold]},
        "error_y": {
            **bar,
            "array": [high - value for high, value in zip(highs, measured, strict=True)],
            "arrayminus": [value - low for low, value in zip(lows, measured, strict=True)],
        },
        "marker": {"symbol": symbol, "size": 9, "color": colour, "line": {"color": colour, "width": 1.3}},
        "text": [_hover(item) for item in items],
        "hovertemplate": "%{text}<extra></extra>",
        "showlegend": False,
        "cliponaxis": False,
        "meta": {"verdict": verdict.value},
    }


def _numbers(item: ScoredForecast) -> tuple[float, float, float]:
    made = item.forecast
    assert made.low is not None and made.median is not None and made.high is not None, "only forecasts with numbers are scored"
    return made.low, made.median, made.high


def _hover(item: ScoredForecast) -> str:
    low, median, high = _numbers(item)
    foretold = f"foretold {steps(median)} (80 %: {interval(low, high)}) at τ {steps(item.forecast.step)}"
    measured = f"measured {steps(item.outcome.value or 0)} ({interval(item.outcome.low, item.outcome.high)})"
    return f"<b>n = {item.n_train:,}</b> · {foretold}<br>{measured}"


def _arrow(item: ScoredForecast, options: ViewOptions) -> Trace:
    """Later than its last measured step, which is beyond what was foretold."""
    _, median, _ = _numbers(item)
    last, colour = item.outcome.low or 1.0, options.palette.memorization
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": [median, median],
        "y": [last, last * 1.2],
        "line": {"color": colour, "width": 2},
        "marker": {"symbol": ["line-ew", "triangle-up"], "size": [11, 10], "color": colour, "line": {"color": colour, "width": 2}},
        "hovertemplate": f"<b>n = {item.n_train:,}</b> · foretold {steps(median)}, {item.outcome.reason or 'not reached'}<extra></extra>",
        "showlegend": False,
        "cliponaxis": False,
        "meta": {"verdict": "refuted"},
    }
