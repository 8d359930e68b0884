"""Axes and their ticks: few, round, and in words that need no exponent."""

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import FixedFormatter, FixedLocator, MaxNLocator, NullLocator

_STEPS: tuple[tuple[float, ...], ...] = ((1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 5, 7), tuple(range(1, 10)))
_MOST = 7


def tick_words(value: float) -> str:
    """A number on an axis: 0.5, 1,500, 20k, 2M."""
    for limit, unit, letter in ((1e6, 1e6, "M"), (1e4, 1e3, "k")):
        if abs(value) >= limit:
            return f"{value / unit:g}{letter}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def log_ticks(low: float, high: float, most: int = _MOST) -> list[float]:
    """Round values in a range: the coarsest series that has enough in it, or evenly spaced ones where none has."""
    decades = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 1)
    for steps in _STEPS:
        found = [step * 10.0**decade for decade in decades for step in steps if low <= step * 10.0**decade <= high]
        if len(found) >= min(3, most - 1):
            return found[:: math.ceil(len(found) / most)]
    return [float(value) for value in MaxNLocator(4).tick_values(low, high) if low <= value <= high]


def set_log(axes: Axes, which: str, low: float, high: float, *, most: int = _MOST) -> None:
    """A logarithmic axis over a range, without minor ticks."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    (axes.set_xscale if which == "x" else axes.set_yscale)("log")
    (axes.set_xlim if which == "x" else axes.set_ylim)(low, high)
    ticks = log_ticks(low, high, most)
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_major_formatter(FixedFormatter([tick_words(tick) for tick in ticks]))
    axis.set_minor_locator(NullLocator())


def set_share(axes: Axes, low: float, high: float) -> None:
    """A vertical axis of shares, its ticks in percent; room above 100 % has none."""
    axes.set_ylim(low, high)
    ticks = [
        float(tick) for tick in MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]).tick_values(low, min(high, 1.0)) if low <= tick <= min(high, 1.0)
    ]
    axes.yaxis.set_major_locator(FixedLocator(ticks))
    axes.yaxis.set_major_formatter(FixedFormatter([f"{100 * tick:.4g}".replace("-", "−") for tick in ticks]))


def spanned(values: Sequence[float], *, log: bool, air: float = 0.06) -> tuple[float, float]:
    """The range of values with a little air; a decade where there is one value, or none."""
    known = [value for value in values if value > 0] if log else list(values)
    if not known:
        return (1.0, 10.0) if log else (0.0, 1.0)
    low, high = min(known), max(known)
    if log:
        low, high = (low, high) if high > low * 1.0001 else (low / 3, high * 3)
        return low / (high / low) ** air, high * (high / low) ** air
    low, high = (low, high) if high > low else (low - 0.5, high + 0.5)
    return low - air * (high - low), high + air * (high - low)
