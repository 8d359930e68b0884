"""A panel of curves against training time: lines, bands, levels, references and gaps; its inset in the emptiest corner."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.transforms import blended_transform_factory

from tauscope.figures.drawing.scales import set_log, set_share, spanned
from tauscope.figures.drawing.style import BAND, LINE, QUIET, SMALL, THIN, TYPE
from tauscope.figures.drawing.wrapping import wrapped
from tauscope.figures.palette import LIGHT
from tauscope.figures.rows import Panel, Row

Colours = Mapping[int | None, str]

_CORNERS = {"upper left": (0.1, 0.54), "upper right": (0.57, 0.54), "lower left": (0.1, 0.13), "lower right": (0.57, 0.13)}
_SIZE = (0.42, 0.36)
_ROOM = (0.0, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8, 1.0)
_HUES = {"a": LIGHT.quality, "b": LIGHT.memorization}
_WORDS = (0.19, 0.09)
_FINE = 30


def draw_curves(axes: Axes, panel: Panel, colours: Colours, x_range: tuple[float, float]) -> None:
    """The panel's lines on axes of its range."""
    low, high = _y_range(panel)
    set_log(axes, "x", *x_range)
    if panel.log_y:
        set_log(axes, "y", low, high)
    elif panel.share:
        set_share(axes, low, high)
    else:
        axes.set_ylim(low, high)
    axes.set_ylabel(panel.y_label, size=SMALL)
    for rows in lines_of(panel):
        _line(axes, rows, colours, dashed=panel.letter == "c" and rows[0].quantity.startswith("loss_train"))
    _gaps(axes, panel)
    if panel.inset is not None:
        _inset(axes, panel, panel.inset, colours)
    _references(axes, panel, colours)


def lines_of(panel: Panel) -> list[list[Row]]:
    """The rows of each line: one run's, or one mean's."""
    rows = panel.of("curve", "control")
    return [list(line) for _, line in groupby(rows, key=lambda row: (row.kind, row.quantity, row.n_train, row.run))]


def _y_range(panel: Panel) -> tuple[float, float]:
    values = [
        value
        for row in panel.of("curve", "control", "level", "reference")
        for value in (row.y, row.y_low, row.y_high)
        if value is not None and (value > 0 or not panel.log_y)
    ]
    if panel.share:
        return min(-0.02, *values), max(0.1, *values) * 1.06
    return spanned(values, log=panel.log_y)


def _line(axes: Axes, rows: Sequence[Row], colours: Colours, *, dashed: bool) -> None:
    control = rows[0].kind == "control"
    colour = LIGHT.control if control else colours[rows[0].n_train]
    x, y, low, high = np.array([_place(row) for row in rows], dtype=np.float64).T
    if np.isfinite(low).any():
        axes.fill_between(x, low, high, color=colour, alpha=BAND, linewidth=0, label="_band")
    style = (0, (3, 1.5)) if control or dashed else "-"
    alone: dict[str, Any] = {"marker": "o", "markersize": 2.5} if len(rows) == 1 else {}
    axes.plot(x, y, color=colour, linewidth=THIN if control else LINE, linestyle=style, label=f"{rows[0].kind}:{rows[0].quantity}", **alone)


def _place(row: Row) -> tuple[float | None, float | None, float | None, float | None]:
    return row.x, row.y, row.y_low, row.y_high


def _references(axes: Axes, panel: Panel, colours: Colours) -> None:
    for row in panel.of("level"):
        assert row.y is not None
        hue = _HUES[panel.letter]
        axes.axhline(row.y, color=hue, linewidth=THIN * 1.5, linestyle=(0, (1, 1.5)), label="level")
        words = f"level {100 * row.y:g} %" if panel.share else f"level {row.y:g}"
        _beside(axes, panel, row.y, words, hue)
    for row in panel.of("reference"):
        assert row.y is not None
        copier = row.quantity.endswith("_train")
        colour = colours[row.n_train] if copier else LIGHT.control
        axes.axhline(row.y, color=colour, linewidth=THIN, linestyle=(0, (4, 1.5, 1, 1.5)), label="reference")
    floors = [row.y for row in panel.of("reference") if not row.quantity.endswith("_train") and row.y is not None]
    if floors:
        _beside(axes, panel, min(floors), "real against real", LIGHT.ink_2)


def _beside(axes: Axes, panel: Panel, y: float, words: str, colour: str) -> None:
    """Words at one end of a line, above or below it, where the fewest curves are."""
    lines = np.concatenate([_along(axes, rows) for rows in lines_of(panel)] or [np.empty((0, 2))])
    level = float(axes.transAxes.inverted().transform(axes.transData.transform((axes.get_xlim()[0], y)))[1])
    side, above = min(((side, above) for above in (True, False) for side in ("right", "left")), key=lambda at: _met(lines, level, *at))
    place = blended_transform_factory(axes.transAxes, axes.transData)
    options: dict[str, Any] = {"size": SMALL, "color": colour, "ha": side, "va": "bottom" if above else "top"}
    at = (1 if side == "right" else 0.01, y)
    axes.annotate(words, at, (0, 1.5 if above else -1.5), xycoords=place, textcoords="offset points", **options)


def _met(lines: np.ndarray, level: float, side: str, above: bool) -> int:
    """How much of the curves lies where words would stand."""
    x, y = lines.T
    bottom = level if above else level - _WORDS[1]
    across = x > 1 - _WORDS[0] if side == "right" else x < _WORDS[0]
    return int((across & (y > bottom) & (y < bottom + _WORDS[1])).sum())


def _gaps(axes: Axes, panel: Panel) -> None:
    """A cross at the foot of the panel for a checkpoint that gave no number."""
    steps = sorted({row.x for row in panel.of("missing") if row.x is not None})
    if steps:
        place = blended_transform_factory(axes.transData, axes.transAxes)
        axes.plot(steps, [0.03] * len(steps), "x", transform=place, color=QUIET, markersize=3, markeredgewidth=THIN * 1.5, label="missing")


def _inset(axes: Axes, panel: Panel, inset: Panel, colours: Colours) -> None:
    name = _clear_corner(axes, panel)
    small = axes.inset_axes((*_CORNERS[name], *_SIZE))
    x = [row.x for row in inset.rows if row.x is not None]
    values = [value for row in inset.of("curve") for value in (row.y, row.y_low, row.y_high) if value is not None]
    set_log(small, "x", *spanned(x, log=True, air=0.04), most=3)
    set_share(small, *spanned([0.0, *values], log=False))
    for rows in lines_of(inset):
        _line(small, rows, colours, dashed=False)
    small.spines[["top", "right"]].set_visible(False)
    small.tick_params(length=1.5, pad=1)
    small.set_title(f"{inset.title} over {inset.x_label}", size=SMALL, color=QUIET, pad=2, loc="right" if "right" in name else "left")


def _clear_corner(axes: Axes, panel: Panel) -> str:
    """A corner through which no line runs; the axis is extended beyond the data as far as it takes."""
    places = np.concatenate([_along(axes, rows) for rows in lines_of(panel)] or [np.empty((0, 2))])
    room, name = next(((room, name) for room in _ROOM for name in _CORNERS if not _crowded(places, name, room)), (_ROOM[-1], "upper left"))
    low, high = axes.transLimits.inverted().transform([(0, -room if "lower" in name else 0), (0, 1 + (room if "upper" in name else 0))])[
        :, 1
    ]
    low, high = axes.transScale.inverted().transform([(1, low), (1, high)])[:, 1]
    if room and panel.log_y:
        set_log(axes, "y", low, high)
    elif room:
        set_share(axes, low, high)
    return name


def _crowded(places: np.ndarray, name: str, room: float) -> bool:
    """Whether a line runs through a corner once the axis has so much room more on that side."""
    (left, bottom), (width, height) = _CORNERS[name], _SIZE
    x, y = places.T
    y = (y + (room if "lower" in name else 0)) / (1 + room)
    return bool(((x > left - 0.09) & (x < left + width + 0.03) & (y > bottom - 0.11) & (y < bottom + height + 0.08)).any())


def _along(axes: Axes, rows: Iterable[Row]) -> np.ndarray:
    """Places along a line, close to one another, in fractions of the axes."""
    known = [(row.x, row.y) for row in rows if row.x is not None and row.y is not None]
    places = axes.transAxes.inverted().transform(axes.transData.transform(np.array(known, dtype=float)))
    steps = np.linspace(0, len(places) - 1, _FINE * len(places))
    return np.stack([np.interp(steps, np.arange(len(places)), places[:, k]) for k in (0, 1)], axis=1)


def say_why_empty(axes: Axes, panel: Panel, width_mm: float) -> None:
    """Words in place of what could not be drawn."""
    axes.set_axis_off()
    words = wrapped(panel.empty[:1].upper() + panel.empty[1:] + ".", width_mm, TYPE)
    axes.text(0, 1, words, transform=axes.transAxes, size=TYPE, color=QUIET, va="top")
