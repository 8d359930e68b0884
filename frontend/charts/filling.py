"""Put the numbers of curves into a figure description, as the browser does."""

from typing import Any

from frontend.charts.figure import Trace
from tauscope.contracts.experiments import Curves, Series


def fill(description: dict[str, Any], curves: Curves) -> dict[str, Any]:
    """A complete Plotly figure: every bound trace with the numbers of its series."""
    return {"data": [_filled(trace, curves) for trace in description["data"]], "layout": description["layout"]}


def _filled(trace: Trace, curves: Curves) -> Trace:
    binding = trace.get("meta", {}).get("bind")
    if binding is None:
        return trace
    series = curves.runs.get(binding["run"], {}).get(binding["metric"])
    if series is None:
        return {**trace, "x": [], "y": []}
    rows = _last_row(series) if binding["last"] else range(len(series.step))
    column = getattr(series, binding["column"])
    return {
        **trace,
        "x": [series.step[row] / binding["divisor"] for row in rows],
        "y": [column[row] for row in rows],
        "customdata": [[series.low[row], series.high[row], series.count[row], series.step[row]] for row in rows],
    }


def _last_row(series: Series) -> list[int]:
    measured = [row for row, value in enumerate(series.value) if value is not None]
    return measured[-1:]
