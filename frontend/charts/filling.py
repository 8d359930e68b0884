"""Put the numbers of curves into a figure description, as the browser does (``static/curves.js``)."""

import math
from typing import Any

from frontend.charts.figure import Trace
from tauscope.contracts.curves import Curves, Series


def fill(description: dict[str, Any], curves: Curves) -> dict[str, Any]:
    """A complete Plotly figure: every bound trace with the numbers of its series, of a run or of the description's own means."""
    means = {
        run: {name: Series.model_validate(item) for name, item in found.items()} for run, found in description.get("means", {}).items()
    }
    curves = curves.model_copy(update={"runs": {**curves.runs, **means}})
    return {"data": [_filled(trace, curves) for trace in description["data"]], "layout": description["layout"]}


def _filled(trace: Trace, curves: Curves) -> Trace:
    binding = trace.get("meta", {}).get("bind")
    if binding is None:
        return trace
    if "runs" in binding:
        return _many(trace, curves)
    found = curves.runs.get(binding["run"], {})
    series = found.get(binding.get("against") or binding["metric"])
    if series is None:
        return {**trace, "x": [], "y": []}
    if "against" in binding:
        return _path(trace, series, found.get(binding["metric"]))
    rows = _last_row(series) if binding["last"] else list(range(len(series.step)))
    column = getattr(series, binding["column"])
    return {
        **trace,
        "x": [series.step[row] / binding["divisor"] for row in rows],
        "y": [column[row] for row in rows],
        "customdata": _custom(series, rows),
    }


def _many(trace: Trace, curves: Curves) -> Trace:
    binding = trace["meta"]["bind"]
    x: list[float | None] = []
    y: list[float | None] = []
    for run, divisor in binding["runs"]:
        series = curves.runs.get(run, {}).get(binding["metric"])
        if series is not None:
            rows = _last_row(series) if binding["last"] else list(range(len(series.step)))
            x += [*(series.step[row] / divisor for row in rows), None]
            y += [*(series.value[row] for row in rows), None]
    return {**trace, "x": x, "y": y}


def _custom(series: Series, rows: list[int]) -> list[list[Any]]:
    return [[series.low[row], series.high[row], series.count[row], series.step[row]] for row in rows]


def _last_row(series: Series) -> list[int]:
    measured = [row for row, value in enumerate(series.value) if value is not None]
    return measured[-1:]


def _path(trace: Trace, series: Series, other: Series | None) -> Trace:
    binding = trace["meta"]["bind"]
    rows = _last_row(series) if binding["last"] else list(range(len(series.step)))
    low, high = binding["window"] or (0, math.inf)
    rows = [row for row in rows if low <= series.step[row] <= high]
    filled = {
        **trace,
        "x": [series.value[row] for row in rows],
        "y": [value_at(other, series.step[row]) for row in rows],
        "customdata": _custom(series, rows),
    }
    if trace.get("marker", {}).get("colorscale"):
        filled["marker"] = {**trace["marker"], "color": [math.log10(max(series.step[row], 1)) for row in rows]}
    return filled


def value_at(series: Series | None, step: int) -> float | None:
    """The value at a step, linear in log time between the points around it; ``None`` outside them or beside a gap."""
    if series is None or not series.step or not series.step[0] <= step <= series.step[-1]:
        return None
    after = next(row for row, known in enumerate(series.step) if known >= step)
    if series.step[after] == step:
        return series.value[after]
    (left, right), (a, b) = series.step[after - 1 : after + 1], series.value[after - 1 : after + 1]
    if a is None or b is None:
        return None
    return a + (b - a) * math.log(step / max(left, 0.5)) / math.log(right / max(left, 0.5))
