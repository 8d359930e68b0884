"""A map over training time and noise level: how far training and held-out loss are apart, or how far the held-out loss has come."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from frontend.charts.axes import base_layout, log_axis, plain_axis
from frontend.charts.figure import Annotation, ViewOptions, label
from frontend.charts.onset_spans import LINE, onset_shapes, onset_words
from frontend.charts.run_lines import Row, measured_rows
from frontend.theme import Palette
from frontend.words import AXIS_TITLES, number, percent, steps
from tauscope.contracts.curves import Curves, Series
from tauscope.contracts.points import MetricInfo
from tauscope.contracts.run_views import RunView

MAPS = {"gap": "Gap", "loss": "Loss", "theory": "Theory"}
_TITLES = {
    "gap": ("<b>Relative loss gap</b> over noise levels; dot: the interval holds 0", "<b>Relative loss gap</b>"),
    "loss": ("<b>Held-out loss</b> over noise levels, as a share of its value at the first step", "<b>Held-out loss</b>"),
}
_BAR_TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50)
_LEAST_GAP = 0.1  # The gap at which the scale ends at the least, so that chance does not look like a gap.
_NAMED_ROWS = 13  # Noise levels that have room for their names.


def grid_indices(metrics: Mapping[str, MetricInfo]) -> list[MetricInfo]:
    """The held-out losses of the map, by noise level."""
    return sorted((info for name, info in metrics.items() if name.startswith("grid_held_out@")), key=lambda info: info.index or 0)


def loss_grid_figure(run: RunView, curves: Curves, shown: str, options: ViewOptions, *, height: float) -> dict[str, Any] | None:
    """The map of one run, ``gap`` or ``loss`` (see ``theory_figure`` for the third), or nothing while there is no point of it."""
    levels, series = grid_indices(curves.metrics), curves.runs.get(run.id, {})
    times = sorted({step for level in levels for step, *_ in measured_rows(series.get(level.name))})
    if not times:
        return None
    edges = _edges(times)
    cells = [[_cell(series, level, step, shown) for step in times] for level in levels]
    layout = base_layout(options, height)
    return {
        "data": [
            {
                "type": "heatmap",
                "x": edges,
                "y": [row - 0.5 for row in range(len(levels) + 1)],
                "z": [[cell.z for cell in row] for row in cells],
                "text": [[cell.mark for cell in row] for row in cells],
                "texttemplate": "%{text}",
                "textfont": {"color": options.palette.ink_2, "size": 12},
                "customdata": [[cell.hover for cell in row] for row in cells],
                "hovertemplate": "%{customdata}<extra></extra>",
                "hoverongaps": False,
                "xgap": 1,
                "ygap": 1,
                **_scale([cell.z for row in cells for cell in row if cell.z is not None], shown, options),
            }
        ],
        "layout": {
            **layout,
            "hovermode": "closest",
            "xaxis": log_axis(options, (edges[0], edges[-1]), AXIS_TITLES["tau"]) | {"showgrid": False, "minor": {}},
            "yaxis": {**plain_axis(options), **noise_axis(levels), "showgrid": False},
            "shapes": onset_shapes(run, options, over=True),
            "annotations": [_title(shown, options), *onset_words(run, options, over=True)],
            "meta": {"height": height},
            "uirevision": f"{run.id}/grid/{shown}",
        },
    }


@dataclass(frozen=True)
class _Cell:
    """One training step at one noise level: its place on the scale, its mark, and all numbers behind it."""

    z: float | None
    mark: str
    hover: str


def _cell(series: Mapping[str, Series], level: MetricInfo, step: int, shown: str) -> _Cell:
    held_out, train, gap = (_at(series, level.name.replace("held_out", name), step) for name in ("held_out", "train", "gap"))
    if held_out is None or train is None or gap is None:
        return _Cell(None, "", "")
    first = measured_rows(series[level.name])[0]
    share = held_out[1] / first[1]
    where = f"τ {steps(step)}, index {level.index} (alpha_bar {level.alpha_bar:.4g})"
    apart = f"relative gap <b>{percent(gap[1])}</b> ({percent(gap[2])} to {percent(gap[3])})"
    came = f"held-out loss {_spread(held_out)}, {number(share)} of that at τ {steps(first[0])}"
    hover = "<br>".join((where, apart, came, f"training loss {_spread(train)}", f"{held_out[4]:,} pairs of each set"))
    holds_zero = shown == "gap" and gap[2] <= 0 <= gap[3]
    return _Cell(gap[1] if shown == "gap" else math.log10(share), "·" if holds_zero else "", hover)


def _at(series: Mapping[str, Series], metric: str, step: int) -> Row | None:
    return next((row for row in measured_rows(series.get(metric)) if row[0] == step), None)


def _spread(row: Row) -> str:
    return f"<b>{number(row[1])}</b> ({number(row[2])} to {number(row[3])})"


def _edges(times: Sequence[int]) -> list[float]:
    """Each cell reaches to the geometric middle between its step and the next; the outermost as far out as in."""
    inner = [math.sqrt(a * b) for a, b in pairwise(times)]
    first = times[0] ** 2 / inner[0] if inner else times[0] / 1.5
    last = times[-1] ** 2 / inner[-1] if inner else times[-1] * 1.5
    return [first, *inner, last]


def noise_axis(levels: Sequence[MetricInfo]) -> dict[str, Any]:
    """The range and ticks of an axis on which the noise levels stand side by side."""
    every = math.ceil(len(levels) / _NAMED_ROWS)
    named = [row for row in range(len(levels)) if row % every == 0]
    return {
        "range": [-0.5, len(levels) - 0.5],
        "tickvals": named,
        "ticktext": [f"{levels[row].index:,}" for row in named],
        "title": {"text": "index into beta", "font": {"size": 12}, "standoff": 4},
    }


def _scale(values: Sequence[float], shown: str, options: ViewOptions) -> dict[str, Any]:
    palette = options.palette
    bar: dict[str, Any] = {"thickness": 10, "outlinewidth": 0, "len": 1, "tickfont": {"size": 12, "color": palette.ink_2}, "xpad": 6}
    if shown == "gap":
        end = max(_LEAST_GAP, *(abs(value) for value in values))
        return {"zmin": -end, "zmax": end, "colorscale": _apart(palette), "colorbar": {**bar, "tickformat": ".0%", "nticks": 5}}
    low, high = min(values), max(max(values), min(values) + 0.05)
    ticks = [tick for tick in _BAR_TICKS if low - 0.02 <= math.log10(tick) <= high + 0.02]
    ticked = {"tickvals": [math.log10(tick) for tick in ticks], "ticktext": [f"{tick:g}" for tick in ticks]}
    return {"zmin": low, "zmax": high, "colorscale": along(palette), "colorbar": {**bar, **ticked}}


def _apart(palette: Palette) -> list[list[float | str]]:
    """From blue-green over the surface to ochre, apart for every colour vision; red would say copied."""
    return [[0, palette.quality], [0.5, palette.surface], [1, palette.warning]]


def along(palette: Palette) -> list[list[float | str]]:
    """One hue whose lightness is monotone."""
    scale = palette.n_scale
    return [[place / (len(scale) - 1), colour] for place, colour in enumerate(reversed(scale))]


def _title(shown: str, options: ViewOptions) -> Annotation:
    wide, narrow = _TITLES[shown]
    return label(0, 1, narrow if options.narrow else wide, colour=options.palette.ink_1, yanchor="bottom", yshift=6 + LINE)
