"""Onsets against n: marks with bars, arrows for what was not reached, fitted lines with their bands, slope 1 beside them."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from tauscope.figures.drawing.rail import point_away
from tauscope.figures.drawing.scales import set_log, spanned, tick_words
from tauscope.figures.drawing.style import BAND, LINE, THIN
from tauscope.figures.onset_rows import SYMBOLS
from tauscope.figures.palette import LIGHT
from tauscope.figures.rows import Panel, Row

Float64 = NDArray[np.float64]
Style = Literal["-"] | tuple[float, Sequence[float]]

HUES = {"tau_gen": LIGHT.quality, "tau_mem": LIGHT.memorization}
_SHAPES = ("o", "s", "^", "D", "v", "P", "X")
_STYLES: tuple[Style, ...] = ("-", (0, (4, 1.2)), (0, (4, 1.2, 1, 1.2)), (0, (2, 1)), (0, (1, 1)))
_ARROW = 12.0
_BESIDE = 1.035  # Between the marks of two settings at one n.
_NAMED = 7  # Values of n that all get their tick.


def draw_law(axes: Axes, panel: Panel) -> None:
    """The panel; tau_gen has open marks and tau_mem filled ones, a width has its shape and its kind of line."""
    sizes = [row.x for row in panel.rows if row.x is not None]
    times = [value for row in panel.of("onset", "fit") for value in (row.y, row.y_low, row.y_high) if value]
    set_log(axes, "x", *spanned(sizes, log=True, air=0.1))
    measured = sorted({row.x for row in panel.of("onset") if row.x is not None})
    if len(measured) <= _NAMED:
        axes.set_xticks(measured, [tick_words(n) for n in measured])
    low, high = spanned(times, log=True)
    set_log(axes, "y", low, high * 1.25)
    axes.set_xlabel(panel.x_label)
    axes.set_ylabel(panel.y_label)
    settings = list(dict.fromkeys(row.setting for row in panel.of("onset")))
    guide = panel.of("guide")
    if guide:
        axes.plot(*_line(guide)[:2], color=LIGHT.ink_3, linewidth=THIN, linestyle=(0, (4, 3)), label=guide[0].quantity)
    fits = groupby(panel.of("fit"), key=lambda row: (row.quantity, row.setting))
    for (name, setting), rows in fits:
        _fit(axes, list(rows), HUES[name], _STYLES[settings.index(setting) % len(_STYLES)])
    for row in panel.of("onset"):
        place = settings.index(row.setting)
        _onset(axes, row, (row.x or 1.0) * _BESIDE ** (place - (len(settings) - 1) / 2), _SHAPES[place % len(_SHAPES)])


def _line(rows: Sequence[Row]) -> Float64:
    """x, y and the ends of the band, [4, row]; what is missing is NaN."""
    return np.array([(row.x, row.y, row.y_low, row.y_high) for row in rows], dtype=np.float64).T


def _fit(axes: Axes, rows: Sequence[Row], colour: str, style: Style) -> None:
    x, y, low, high = _line(rows)
    if np.isfinite(low).all():
        axes.fill_between(x, low, high, color=colour, alpha=BAND * 0.7, linewidth=0, label="_band")
    axes.plot(x, y, color=colour, linewidth=LINE, linestyle=style, label="fit")


def _onset(axes: Axes, row: Row, x: float, shape: str) -> None:
    """A mark at ``x``, a little beside the row's own where there are several settings."""
    colour = HUES[row.quantity]
    if row.y is not None:
        bars = [[row.y - (row.y_low or row.y)], [(row.y_high or row.y) - row.y]]
        face = "white" if row.quantity == "tau_gen" else colour
        axes.errorbar(
            *([x], [row.y], bars),
            fmt=shape,
            markersize=4,
            color=colour,
            markerfacecolor=face,
            markeredgewidth=LINE * 0.8,
            elinewidth=LINE * 0.8,
            capsize=1.5,
            label=f"onset:{row.quantity}",
        )
        return
    place = row.y_low if row.status == "censored" else row.y_high
    if place is not None and row.status in ("censored", "before_first"):
        axes.plot([x], [place], marker="_", markersize=5, color=colour, label="bound")
        point_away(axes, (x, place), (0, _ARROW if row.status == "censored" else -_ARROW), colour)


def law_keys(panel: Panel, names: dict[str, str]) -> list[Line2D]:
    """What each mark stands for; ``names`` are the words of each setting."""
    keys = [
        Line2D([], [], color=HUES[name], marker="o", markersize=4, markerfacecolor=face, linewidth=LINE, label=SYMBOLS[name])
        for name, face in (("tau_gen", "white"), ("tau_mem", HUES["tau_mem"]))
    ]
    if len(names) > 1:
        for k, words in enumerate(names.values()):
            look: dict[str, Any] = {"marker": _SHAPES[k % len(_SHAPES)], "linestyle": _STYLES[k % len(_STYLES)]}
            keys.append(Line2D([], [], color=LIGHT.ink_2, markersize=4, label=words, **look))
    return keys
