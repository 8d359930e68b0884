"""Measured numbers in words: one way of writing each, wherever it stands."""

import math

from tauscope.contracts.onsets import Onset, OnsetStatus
from tauscope.contracts.points import Point


def number(value: float) -> str:
    """Three significant digits, thousands separated: 1,360; 38; 0.547."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def percent(share: float) -> str:
    """A share in percent; one digit after the point below 10 %."""
    value = 100 * share
    return f"{value:.1f} %" if 0 < value < 9.95 else f"{value:.0f} %"


def interval_percent(low: float, high: float) -> str:
    """An interval of shares."""
    return f"{percent(low).removesuffix(' %')} to {percent(high)}"


def measured_words(point: Point) -> str:
    """``0.512 (0.5 to 0.524)``, or why there is no number."""
    if point.value is None:
        return point.reason or "not measured"
    if point.low is None or point.high is None:
        return f"{number(point.value)} (no interval)"
    return f"{number(point.value)} ({number(point.low)} to {number(point.high)})"


def share_words(point: Point) -> str:
    """``23 % (19 to 27 %)``, or why there is no number."""
    if point.value is None:
        return point.reason or "not measured"
    if point.low is None or point.high is None:
        return f"{percent(point.value)} (no interval)"
    return f"{percent(point.value)} ({interval_percent(point.low, point.high)})"


def counted_words(point: Point) -> str:
    """A share as what was counted: ``12 of 384 (1.6 to 5.4 %)``, ``0 of 1,024 (under 0.4 %)``."""
    if point.value is None or not point.count or point.low is None or point.high is None:
        return share_words(point)
    found = round(point.value * point.count)
    spread = f"under {percent(point.high)}" if found == 0 else interval_percent(point.low, point.high)
    return f"{found:,} of {point.count:,} ({spread})"


def onset_words(onset: Onset | None) -> str:
    """``233 (206 to 326)``, or why there is no number."""
    if onset is None:
        return "not measured"
    if onset.status is OnsetStatus.REACHED:
        assert onset.value is not None
        high = f"{onset.high:,.0f}" if onset.high is not None else "no upper end"
        return f"{onset.value:,.0f} ({onset.low or 0:,.0f} to {high})"
    return onset.reason or onset.status.value
