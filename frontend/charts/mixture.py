"""Figures of one run on a mixture over training time: alpha, score errors, and distances, each beside what is known."""

from collections.abc import Mapping, Sequence
from typing import Any

from frontend.charts.axes import base_layout, log_axis, value_axis
from frontend.charts.figure import ViewOptions, label
from frontend.charts.labels import LineEnd, end_labels
from frontend.charts.onset_spans import onset_shapes, onset_words
from frontend.charts.run_lines import Row, interval_traces, line_trace, lines_frame, measured_rows, reference_traces
from frontend.theme import n_colours
from frontend.words import AXIS_TITLES
from tauscope.contracts.curves import Curves
from tauscope.contracts.points import MetricInfo
from tauscope.contracts.run_views import RunView

# Of each figure: its title, what is drawn at the chosen index, what is drawn of the samples, and whether values are logarithmic.
PARTS: dict[str, tuple[str, tuple[str, ...], tuple[str, ...], bool]] = {
    "alpha": ("From the population's score to the memorizer's", ("alpha", "alpha_orthogonal", "alpha_ho"), (), False),
    "scores": ("Error of the score, squared error of eps per dimension (log)", ("score_error", "score_error_empirical"), (), True),
    "distances": ("Distance of samples, units of the data", (), ("e_gen", "e_mem"), False),
}
SHORT = {
    "alpha": "alpha",
    "alpha_orthogonal": "orthogonal",
    "alpha_ho": "alpha_ho",
    "score_error": "to the population",
    "score_error_empirical": "to the training points",
    "e_gen": "E_gen",
    "e_mem": "E_mem",
}


def score_indices(metrics: Mapping[str, MetricInfo]) -> list[int]:
    """The diffusion indices at which scores are compared."""
    return sorted(info.index for name, info in metrics.items() if name.startswith("alpha@") and info.index is not None)


def metrics_of(part: str, index: int | None) -> list[str]:
    """What a figure draws."""
    _, at_index, of_samples, _ = PARTS[part]
    return [*(f"{name}@{index}" for name in at_index), *of_samples]


def mixture_figure(
    run: RunView, curves: Curves, part: str, index: int | None, options: ViewOptions, *, height: float
) -> dict[str, Any] | None:
    """The figure of one run, or nothing while there is no point of it."""
    series, (title, _, _, log_y) = curves.runs.get(run.id, {}), PARTS[part]
    rows = {name: found for name in metrics_of(part, index) if (found := measured_rows(series.get(name)))}
    if not rows:
        return None
    beside = {name: measured_rows(series.get(_control(curves, name))) for name in rows}
    y_range = _range([*rows.values(), *beside.values()], log_y=log_y)
    frame = lines_frame([step for found in rows.values() for step, *_ in found], y_range, options, height, log_y=log_y)
    traces = []
    for (name, found), colour in zip(rows.items(), n_colours(len(rows), options.palette), strict=True):
        traces += reference_traces(beside[name], colour, control=True)
        traces += [*interval_traces(found, colour, log_y=log_y), line_trace(series[name], name, short(name), "points", colour)]
    ends = [
        LineEnd(tuple((float(s), v) for s, v, *_ in found), short(name), options.palette.ink_2, bold=False) for name, found in rows.items()
    ]
    return {
        "data": traces,
        "layout": {
            **base_layout(options, height),
            "hovermode": "closest",
            "xaxis": log_axis(options, frame.x_range, AXIS_TITLES["tau"]),
            "yaxis": {"gridcolor": options.palette.grid, "zeroline": False, "showline": False, **value_axis(y_range, log=log_y)},
            "shapes": onset_shapes(run, options),
            "annotations": [
                label(0, 1, _title(title, options), colour=options.palette.ink_1, yanchor="bottom", yshift=10),
                *onset_words(run, options),
                *end_labels(ends, frame, "y", lines=[]),
            ],
            "meta": {"height": height},
            "uirevision": f"{run.id}/{part}/{index}",
        },
    }


def short(metric: str) -> str:
    """A metric's name at the end of its line; where it is measured the page says."""
    return SHORT[metric.partition("@")[0]]


def _control(curves: Curves, metric: str) -> str:
    info = curves.metrics.get(metric)
    return (info.control if info else None) or ""


def _title(words: str, options: ViewOptions) -> str:
    name, _, unit = words.partition(", ")
    return f"<b>{name}</b>" if options.narrow or not unit else f"<b>{name}</b>: {unit}"


def _range(rows: Sequence[Sequence[Row]], *, log_y: bool) -> tuple[float, float]:
    values = [value for found in rows for _, value, *_ in found]
    if log_y:
        return min(value for value in values if value > 0) / 1.35, max(values) * 1.35
    low, high = min(0.0, *values), max(values)
    return low - 0.06 * (high - low), high + 0.1 * (high - low)
