"""What theory says beside the measured losses: levels in the loss panel, and both over all noise levels."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from frontend.charts.axes import base_layout, plain_axis, value_axis
from frontend.charts.figure import Annotation, Panel, Shape, Trace, ViewOptions, label
from frontend.charts.loss_grid import grid_indices, noise_axis
from frontend.charts.panels import threshold
from frontend.charts.run_lines import Row, measured_rows
from frontend.theme import with_opacity
from frontend.words import number, steps
from tauscope.contracts.curves import Curves, Series
from tauscope.contracts.points import MetricInfo
from tauscope.contracts.run_views import RunView

WHO = {
    "empirical": "exact empirical denoiser",
    "population": "population's denoiser",
    "linear": "best linear filter",
}
SETS = {"train": "training", "held_out": "held-out"}
ROUNDING = 1e-6
"""What single precision leaves of a loss that is zero; a smaller one is not told from it."""

_DASHES = {"empirical": "dash", "population": "dashdot", "linear": "dot"}
_NAME = re.compile(r"theory_loss_([a-z]+)_(train|held_out)@(\d+)")


@dataclass(frozen=True)
class Constant:
    """What theory says of a run's loss on one set at one index.

    Attributes:
        who: a key of ``WHO``.
        part: a key of ``SETS``.
        row: its value with interval and count; ``None`` where it cannot be had, for the ``reason``.
    """

    who: str
    part: str
    index: int
    row: Row | None
    reason: str = ""

    @property
    def value(self) -> float:
        """The value, NaN where there is none."""
        return self.row[1] if self.row else math.nan

    @property
    def name(self) -> str:
        """Whose loss it is on which images."""
        return f"{WHO[self.who]}, {SETS[self.part]}"


def constants(series: Mapping[str, Series]) -> list[Constant]:
    """All of a run beside its losses, in the order of ``WHO``; none of a run that did not measure them."""
    found = [_constant(match, held) for name, held in series.items() if (match := _NAME.fullmatch(name)) and held.step]
    return sorted((item for item in found if item.who in WHO), key=lambda item: (item.index, list(WHO).index(item.who), item.part))


def _constant(match: re.Match[str], held: Series) -> Constant:
    who, part, index = match.groups()
    return Constant(who, part, int(index), next(iter(measured_rows(held)), None), held.reason[-1] or "")


def loss_constants(index: int) -> tuple[str, ...]:
    """The metrics beside the losses at an index."""
    return tuple(f"theory_loss_{who}_{part}@{index}" for who in WHO for part in SETS)


def levels_within(run: RunView, curves: Curves, index: int, bounds: tuple[float, float]) -> tuple[list[Constant], list[Constant]]:
    """The constants at an index that a panel has room for, and those that lie beyond it."""
    known = [item for item in constants(curves.runs.get(run.id, {})) if item.index == index and item.row is not None]
    inside = [item for item in known if bounds[0] <= item.value <= bounds[1]]
    return inside, [item for item in known if item not in inside]


def level_shape(item: Constant, panel: Panel, *, x_range: tuple[float, float], options: ViewOptions) -> Shape:
    """A level across the loss panel."""
    shape = threshold(item.value, panel, colour=options.palette.control, x_range=x_range)
    return {**shape, "line": {"color": options.palette.control, "width": 1.2, "dash": _DASHES[item.who]}}


def beyond_words(items: Sequence[Constant], bounds: tuple[float, float]) -> str:
    """What lies beyond the panel, with its numbers: ``exact empirical denoiser: training ↓ under 1e-6, held-out ↑ 80.7``."""
    told = {who: [item for item in items if item.who == who] for who in WHO}
    return "; ".join(f"{WHO[who]}: {', '.join(_beyond(item, bounds) for item in found)}" for who, found in told.items() if found)


def _beyond(item: Constant, bounds: tuple[float, float]) -> str:
    return f"{SETS[item.part]} {'↑' if item.value > bounds[1] else '↓'} {value_words(item.value)}"


def value_words(value: float) -> str:
    """A loss; of one that rounding cannot tell from zero the bound."""
    return "under 1e-6" if value < ROUNDING else number(value)


def theory_figure(run: RunView, curves: Curves, options: ViewOptions, *, height: float) -> dict[str, Any] | None:
    """The losses last measured over noise levels beside what theory says of them; nothing where either is not measured."""
    levels, series = grid_indices(curves.metrics), curves.runs.get(run.id, {})
    last = max((step for level in levels for step, *_ in measured_rows(series.get(level.name))), default=0)
    learnt = {part: _row_of(levels, series, f"grid_{part}", step=last) for part in SETS}
    stated = {(who, part): _row_of(levels, series, f"theory_grid_{who}_{part}") for who in WHO for part in SETS}
    stated = {key: rows for key, rows in stated.items() if rows}
    if not last or not stated:
        return None
    values = [row[1] for rows in (*learnt.values(), *stated.values()) for row in rows.values()]
    y_range = (max(min(row[1] for rows in learnt.values() for row in rows.values()) / 20, ROUNDING) / 1.5, max(values) * 1.5)
    traces = [trace for (who, part), rows in stated.items() for trace in _line(levels, rows, part, options, who=who)]
    traces += [trace for part, rows in learnt.items() for trace in _line(levels, rows, part, options, step=last)]
    return {
        "data": traces,
        "layout": {
            **base_layout(options, height),
            "hovermode": "closest",
            "xaxis": {**plain_axis(options), **noise_axis(levels), "showgrid": False},
            "yaxis": {"gridcolor": options.palette.grid, "zeroline": False, "showline": False, **value_axis(y_range, log=True)},
            "shapes": [],
            "annotations": [_title(last, sorted({who for who, _ in stated}), options)],
            "meta": {"height": height},
            "uirevision": f"{run.id}/grid/theory",
        },
    }


def _row_of(levels: Sequence[MetricInfo], series: Mapping[str, Series], name: str, *, step: int | None = None) -> dict[int, Row]:
    """The rows of a metric by the place of their noise level: at a step, or the only ones there are."""
    rows = {place: measured_rows(series.get(f"{name}@{level.index}")) for place, level in enumerate(levels)}
    return {place: row for place, found in rows.items() for row in found[-1:] if step is None or row[0] == step}


def _line(
    levels: Sequence[MetricInfo], rows: Mapping[int, Row], part: str, options: ViewOptions, *, who: str = "", step: int | None = None
) -> list[Trace]:
    colour = _colour(part, options) if who != "linear" else options.palette.control
    name = f"{WHO[who]}, {SETS[part]}" if who else f"learned, {SETS[part]}, τ {steps(step or 0)}"
    line: Trace = {
        "type": "scatter",
        "mode": "lines" if who else "lines+markers",
        "x": list(rows),
        "y": [row[1] if row[1] >= ROUNDING or not who else None for row in rows.values()],
        "line": {"color": colour, "width": 1.4 if who else 2, **({"dash": _DASHES[who]} if who else {})},
        "marker": {"size": 4, "color": colour},
        "connectgaps": False,
        "text": [_hover(name, levels[place], row) for place, row in rows.items()],
        "hovertemplate": "%{text}<extra></extra>",
        "showlegend": False,
        "meta": {"who": who or "learned", "set": part},
    }
    return [line] if who else [*_interval(rows, colour), line]


def _interval(rows: Mapping[int, Row], colour: str) -> list[Trace]:
    edge = {"type": "scatter", "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False, "x": list(rows)}
    low = [max(row[2], row[1] / 100) for row in rows.values()]  # An interval that reaches 0 leaves a logarithmic axis.
    fill = {"fill": "tonexty", "fillcolor": with_opacity(colour, 0.16)}
    return [{**edge, "y": low}, {**edge, **fill, "y": [row[3] for row in rows.values()]}]


def _hover(name: str, level: MetricInfo, row: Row) -> str:
    _, value, low, high, count = row
    spread = f" ({value_words(low)} to {value_words(high)})"
    return f"{name}<br>index {level.index} (alpha_bar {level.alpha_bar:.4g}): <b>{value_words(value)}</b>{spread}, {count:,} pairs"


def _colour(part: str, options: ViewOptions) -> str:
    return options.palette.warning if part == "train" else options.palette.quality


def _title(step: int, who: Sequence[str], options: ViewOptions) -> Annotation:
    wide = f"<b>Loss over noise levels</b>, log. Solid: learned by τ {steps(step)}. "
    named = {
        "empirical": "Dashed: exact empirical denoiser",
        "population": "Dash-dotted: population",
        "linear": "Dotted: best linear filter",
    }
    sets = ", ".join(
        f'<span style="color:{_colour(part, options)}">{words}</span>' for part, words in (("held_out", "Held-out"), ("train", "training"))
    )
    text = "<b>Loss over noise levels</b>" if options.narrow else f"{wide}{'. '.join(named[item] for item in who)}. {sets}"
    return label(0, 1, text, colour=options.palette.ink_1, yanchor="bottom", yshift=10)
