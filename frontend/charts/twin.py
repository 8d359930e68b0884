"""How far a run and its twin agree along training: one curve with its interval, and where it is highest."""

from typing import Any

from frontend.charts.axes import base_layout, log_axis, plain_axis
from frontend.charts.figure import Annotation, Shape, Trace, ViewOptions, label, log_position
from frontend.charts.marks import ONSETS, TITLES, OnsetName, onset_colour, onset_marks
from frontend.theme import with_opacity
from frontend.words import steps
from tauscope.contracts.curves import Series
from tauscope.contracts.onsets import Onset, OnsetStatus
from tauscope.contracts.run_views import RunView


def twin_figure(run: RunView, found: Series, split: Onset, options: ViewOptions, *, height: float) -> dict[str, Any]:
    """The figure; tau_split stands on the curve, and lines mark the onsets of the run that were reached."""
    columns = zip(found.step, found.value, found.low, found.high, strict=True)
    rows = [(step, value, low, high) for step, value, low, high in columns if value is not None and low is not None and high is not None]
    measured = (float(found.step[0]), float(found.step[-1]))
    bounds = (measured[0] / 1.2, measured[1] * 1.4)
    marks = onset_marks("tau_split", split, y=split.level, yaxis="y", divisor=1.0, palette=options.palette, measured=measured)
    return {
        "data": [*_band(rows, options), _line(rows, found, options), *marks],
        "layout": {
            **base_layout(options, height),
            "hovermode": "x",
            "xaxis": log_axis(options, bounds, "training time τ, steps (log)"),
            "yaxis": plain_axis(options, "mean cosine between the twins") | {"range": _range(rows)},
            "shapes": [shape for name in ONSETS for shape in _onset_line(run, name, options)],
            "annotations": [item for name in ONSETS for item in _onset_name(run, name, options)],
            "meta": {"height": height},
            "uirevision": run.id,
        },
    }


_Row = tuple[int, float, float, float]


def _range(rows: list[_Row]) -> list[float]:
    return [min(0.0, min(low for *_, low, _ in rows) - 0.02), 1.02]


def _line(rows: list[_Row], found: Series, options: ViewOptions) -> Trace:
    counts = dict(zip(found.step, found.count, strict=True))
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": [step for step, *_ in rows],
        "y": [value for _, value, *_ in rows],
        "line": {"color": options.palette.ink_1, "width": 2},
        "marker": {"size": 4, "color": options.palette.ink_1},
        "text": [_hover(*row, counts[row[0]]) for row in rows],
        "hovertemplate": "%{text}<extra></extra>",
        "showlegend": False,
    }


def _hover(step: int, value: float, low: float, high: float, count: int | None) -> str:
    return f"<b>{value:.3f}</b> ({low:.3f} to {high:.3f}) at τ {steps(step)}, {count:,} points"


def _band(rows: list[_Row], options: ViewOptions) -> list[Trace]:
    edge = {"type": "scatter", "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
    x = [step for step, *_ in rows]
    fill = {"fill": "tonexty", "fillcolor": with_opacity(options.palette.ink_1, 0.15)}
    return [{**edge, "x": x, "y": [low for *_, low, _ in rows]}, {**edge, **fill, "x": x, "y": [high for *_, high in rows]}]


def _reached(run: RunView, name: str) -> float | None:
    onset = run.onsets.get(name)
    return onset.value if onset is not None and onset.status is OnsetStatus.REACHED else None


def _onset_line(run: RunView, name: OnsetName, options: ViewOptions) -> list[Shape]:
    at = _reached(run, name)
    line = {"color": onset_colour(name, options.palette), "width": 1.2, "dash": "dot"}
    return [] if at is None else [{"type": "line", "x0": at, "x1": at, "yref": "paper", "y0": 0, "y1": 1, "line": line, "layer": "below"}]


def _onset_name(run: RunView, name: OnsetName, options: ViewOptions) -> list[Annotation]:
    at = _reached(run, name)
    if at is None:
        return []
    place = {"xref": "x", "xanchor": "center", "yanchor": "bottom"}
    return [label(log_position(at), 1, TITLES[name], colour=onset_colour(name, options.palette), **place)]
