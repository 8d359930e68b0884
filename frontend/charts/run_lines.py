"""Lines of one run over training time, each with its interval and, dotted, what it is compared with."""

from collections.abc import Iterable, Sequence

from frontend.charts.axes import FOOT, HEAD
from frontend.charts.figure import Trace, ViewOptions
from frontend.charts.labels import Frame
from frontend.theme import with_opacity
from frontend.words import number, steps
from tauscope.contracts.curves import Series

Row = tuple[int, float, float, float, int]
"""Step, value, low, high, count."""


def measured_rows(found: Series | None) -> list[Row]:
    """What was measured of a series, missing points left out."""
    if found is None:
        return []
    columns = zip(found.step, found.value, found.low, found.high, found.count, strict=True)
    return [(s, v, v if lo is None else lo, v if hi is None else hi, n or 0) for s, v, lo, hi, n in columns if v is not None]


def lines_frame(times: Sequence[int], y_range: tuple[float, float], options: ViewOptions, height: float, *, log_y: bool) -> Frame:
    """Where lines over these steps are drawn."""
    x_range = (min(times) / 1.15, max(max(times), 1.5 * min(times)) * 1.15)
    return Frame(x_range, y_range, options.plot_width, height - HEAD - FOOT, log_y=log_y, beyond=options.margins[1])


def line_trace(found: Series, metric: str, words: str, items: str, colour: str) -> Trace:
    """A line with its points; ``words`` and ``items``, what is counted, are told where it is pointed at."""
    columns = zip(found.step, found.value, found.low, found.high, found.count, strict=True)
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": list(found.step),
        "y": list(found.value),
        "line": {"color": colour, "width": 2},
        "marker": {"size": 4, "color": colour},
        "connectgaps": False,
        "text": [_hover(words, items, *row) for row in columns],
        "hovertemplate": "%{text}<extra></extra>",
        "showlegend": False,
        "meta": {"metric": metric},
    }


def interval_traces(rows: Sequence[Row], colour: str, *, log_y: bool = True) -> list[Trace]:
    """The 95 % intervals as a band."""
    edge = {"type": "scatter", "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
    x = [step for step, *_ in rows]
    # An interval that reaches 0 leaves a logarithmic axis.
    least = [max(low, value / 100) if log_y else low for _, value, low, *_ in rows]
    fill = {"fill": "tonexty", "fillcolor": with_opacity(colour, 0.16)}
    return [{**edge, "x": x, "y": least}, {**edge, **fill, "x": x, "y": [high for *_, high, _ in rows]}]


def reference_traces(rows: Iterable[Row], colour: str, **meta: object) -> list[Trace]:
    """A dotted line, where anything of it is measured."""
    found = list(rows)
    if not found:
        return []
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "x": [step for step, *_ in found],
            "y": [value for _, value, *_ in found],
            "line": {"color": colour, "width": 1.2, "dash": "dot"},
            "hoverinfo": "skip",
            "showlegend": False,
            "meta": meta,
        }
    ]


def _hover(words: str, items: str, step: int, value: float | None, low: float | None, high: float | None, count: int | None) -> str:
    spread = f" ({number(low)} to {number(high)})" if low is not None and high is not None else ""
    return f"{words}<br>τ {steps(step)}: <b>{number(value or 0)}</b>{spread}, {count or 0:,} {items}"
