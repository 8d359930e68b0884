"""The denoiser's error over training time, a line for each Fourier band or group of components, beside the best linear filter's."""

from collections.abc import Mapping, Sequence
from typing import Any

from frontend.charts.axes import base_layout, log_axis, value_axis
from frontend.charts.figure import Annotation, Panel, ViewOptions, label
from frontend.charts.labels import Frame, LineEnd, end_labels
from frontend.charts.onset_spans import onset_shapes, onset_words
from frontend.charts.panels import threshold
from frontend.charts.run_lines import Row, interval_traces, line_trace, lines_frame, measured_rows, reference_traces
from frontend.theme import n_colours
from frontend.words import AXIS_TITLES
from tauscope.contracts.curves import Curves
from tauscope.contracts.points import MetricInfo
from tauscope.contracts.run_views import RunView

PARTS = {"bands": "error_band", "components": "error_pc"}
SETS = {"held_out": "Held-out", "train": "Training"}
_TITLES = {
    "bands": ("Error by Fourier band, cycles per image", "Error by Fourier band"),
    "components": ("Error by principal component of the training images", "Error by component"),
}
_UNIT = "share of the images' energy there (log)"
KNOWS_THE_MEAN = 1.0


def metrics_of(metrics: Mapping[str, MetricInfo], part: str, name: str) -> list[str]:
    """The errors of ``bands`` or ``components`` of a set, low frequencies and large variances first."""
    found = [metric for metric in metrics if metric.startswith(f"{PARTS[part]}_{name}@")]
    return sorted(found, key=lambda metric: int(metric.rpartition(":")[2]))


def part_words(info: MetricInfo) -> str:
    """What a band or a group is, without the rest of its label."""
    return info.label.partition(": ")[0]


def short_part(info: MetricInfo) -> str:
    """The same for the end of a line whose chart says what its numbers are."""
    words = part_words(info).partition(" of ")[0].partition(" cycle")[0].removeprefix("components ")
    return words.removeprefix("over ") if " to " in words else words


def spectrum_figure(run: RunView, curves: Curves, part: str, name: str, options: ViewOptions, *, height: float) -> dict[str, Any] | None:
    """The figure of one run, or nothing while there is no point of it.

    Args:
        part: ``bands`` or ``components``.
        name: ``held_out`` or ``train``, whose error is drawn; the filter is that of the held-out images and stands beside theirs alone.
    """
    series = curves.runs.get(run.id, {})
    metrics = [metric for metric in metrics_of(curves.metrics, part, name) if measured_rows(series.get(metric))]
    if not metrics:
        return None
    colours = n_colours(len(metrics), options.palette)
    rows = {metric: measured_rows(series[metric]) for metric in metrics}
    filters = {metric: measured_rows(series.get(curves.metrics[metric].control or "")) for metric in metrics}
    frame = _frame(rows, filters, options, height)
    names = {metric: curves.metrics[metric] for metric in metrics}
    traces = [
        trace for metric, colour in zip(metrics, colours, strict=True) for trace in reference_traces(filters[metric], colour, filter=True)
    ]
    for metric, colour in zip(metrics, colours, strict=True):
        traces += [*interval_traces(rows[metric], colour), line_trace(series[metric], metric, part_words(names[metric]), "pairs", colour)]
    panel = Panel("y", 0.0, 1.0)
    return {
        "data": traces,
        "layout": {
            **base_layout(options, height),
            "hovermode": "closest",
            "xaxis": log_axis(options, frame.x_range, AXIS_TITLES["tau"]),
            "yaxis": {"gridcolor": options.palette.grid, "zeroline": False, "showline": False, **value_axis(frame.y_range, log=True)},
            "shapes": [
                *onset_shapes(run, options),
                threshold(KNOWS_THE_MEAN, panel, colour=options.palette.control, x_range=frame.x_range),
            ],
            "annotations": [
                _title(part, options),
                *onset_words(run, options),
                *end_labels(_ends(rows, names, options), frame, "y", lines=[KNOWS_THE_MEAN]),
            ],
            "meta": {"height": height},
            "uirevision": f"{run.id}/{part}/{name}",
        },
    }


def _title(part: str, options: ViewOptions) -> Annotation:
    wide, narrow = _TITLES[part]
    words = f"<b>{narrow}</b>" if options.narrow else f"<b>{wide}</b>: {_UNIT}"
    return label(0, 1, words, colour=options.palette.ink_1, yanchor="bottom", yshift=10)


def _frame(rows: Mapping[str, Sequence[Row]], filters: Mapping[str, Sequence[Row]], options: ViewOptions, height: float) -> Frame:
    times = [step for found in rows.values() for step, *_ in found]
    values = [value for found in (*rows.values(), *filters.values()) for _, value, *_ in found]
    y_range = (min([*values, KNOWS_THE_MEAN]) / 1.35, max([*values, KNOWS_THE_MEAN]) * 1.35)
    return lines_frame(times, y_range, options, height, log_y=True)


def _ends(rows: Mapping[str, Sequence[Row]], names: Mapping[str, MetricInfo], options: ViewOptions) -> list[LineEnd]:
    return [
        LineEnd(tuple((float(step), value) for step, value, *_ in found), short_part(names[metric]), options.palette.ink_2, bold=False)
        for metric, found in rows.items()
    ]
