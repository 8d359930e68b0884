"""Onset times: the first sustained crossing of a level, with the interval that the measurements support.

Between two checkpoints nothing was measured, so nothing finer than the grid can be claimed: an interval is a union of
grid cells, bracketing checkpoints included. A cell is kept if a monotone curve that crosses in it is consistent with the
measurements at 95 %, by either of two readings: the likelihood of all checkpoints together (right when their errors are
independent) or each checkpoint alone (right when they move together, as with shared seeds). The union covers in both.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log
from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

from tauscope.contracts.onsets import Onset, OnsetStatus
from tauscope.contracts.points import Point
from tauscope.metrics.intervals import Z95

CHI2_95 = 3.841  # 95 % quantile of chi-square with one degree of freedom


@dataclass(frozen=True)
class Curve:
    """A measured curve that is expected to rise through a level, on its own grid of steps.

    Attributes:
        step: training steps, increasing.
        value, low, high: estimate and 95 % interval at each.
        count: trials behind a share, or 0 where the value is a mean with Gaussian error.
    """

    step: Float[ndarray, " point"]
    value: Float[ndarray, " point"]
    low: Float[ndarray, " point"]
    high: Float[ndarray, " point"]
    count: Float[ndarray, " point"]

    @classmethod
    def of(cls, points: Sequence[Point], metric: str, *, share: bool) -> "Curve":
        """The measured points of one metric; missing values are left out, and what is computed without error has no width."""
        rows = sorted((p.step, p.value, p.low, p.high, p.count) for p in points if p.metric == metric and p.value is not None)
        names = ("step", "value", "low", "high", "count")
        return cls.of_columns(dict(zip(names, zip(*rows, strict=True), strict=True)) if rows else dict.fromkeys(names, ()), share=share)

    @classmethod
    def of_columns(cls, columns: Mapping[str, Sequence[Any]], *, share: bool) -> "Curve":
        """The same of a series as it is stored: columns in order of step, ``None`` where there is no number."""
        step, value, low, high, count = (np.array(columns[name], dtype=float) for name in ("step", "value", "low", "high", "count"))
        known = ~np.isnan(value)
        filled = (step, value, np.where(np.isnan(low), value, low), np.where(np.isnan(high), value, high), np.nan_to_num(count) * share)
        return cls(*(column[known] for column in filled))

    def falling(self) -> "Curve":
        """The same curve upside down, so that falling to a level becomes rising to its negative."""
        return Curve(self.step, -self.value, -self.high, -self.low, self.count)

    def until_peak(self) -> "Curve":
        """The part up to the last highest value: past it a curve such as the held-out loss turns back."""
        end = len(self.value) - int(np.argmax(self.value[::-1]))
        return Curve(*(column[:end] for column in (self.step, self.value, self.low, self.high, self.count)))


def tau_mem(points: Sequence[Point], level: float, metric: str = "f_mem") -> Onset:
    """When f_mem minus its held-out control, or another metric that needs none, first rises to ``level`` and stays.

    The control's own interval widens that of the onset: its low end is used for the lower end, its high end for the upper.
    """
    if metric != "f_mem":
        return warning_onset(Curve.of(points, metric, share=False), metric, level)
    curve = Curve.of(points, "f_mem", share=True)
    control = [p for p in points if p.metric == "f_mem_control" and p.value is not None]
    if not len(curve.step):
        return _undefined("f_mem", level, "f_mem was not measured yet")
    if not control:
        return _undefined("f_mem", level, "there is no held-out control to subtract")
    last = max(control, key=lambda p: p.step)
    assert last.value is not None and last.low is not None and last.high is not None
    shifts = (level + last.low, level + last.value, level + last.high)
    return _onset(curve, shifts, metric="f_mem", level=level)


def warning_onset(curve: Curve, metric: str, level: float, *, falling: bool = False) -> Onset:
    """When a probe first passes its level, upward unless ``falling``, and stays."""
    if not len(curve.step):
        return _undefined(metric, level, f"{metric} was not measured yet")
    sign = -1 if falling else 1
    return _onset(curve.falling() if falling else curve, (sign * level,) * 3, metric=metric, level=level)


def tau_gen(points: Sequence[Point], metric: str, level: float) -> Onset:
    """When a quality metric, better when lower, first falls to ``level`` and stays."""
    curve = Curve.of(points, metric, share=False)
    if not len(curve.step):
        return _undefined(metric, level, f"{metric} was not measured yet")
    return _onset(curve.falling(), (-level, -level, -level), metric=metric, level=level, never="quality never reached")


def _onset(whole: Curve, levels: tuple[float, float, float], *, metric: str, level: float, never: str = "not") -> Onset:
    """The onset of a rising curve; ``levels`` are those for the lower end, the value and the upper end."""
    first = sustained_crossing(whole, levels[1])
    curve = whole.until_peak()
    low_cells = consistent_cells(curve, levels[0])
    high_cells = low_cells if levels[2] == levels[0] else consistent_cells(curve, levels[2])
    # Past the peak the curve only falls: a crossing after it would come after the last measurement.
    starts = np.concatenate([[0.0], curve.step[:-1], whole.step[-1:]])
    ends = np.concatenate([curve.step, [np.inf]])
    low = float(starts[low_cells].min())
    high = float(ends[high_cells].max())
    upper = high if np.isfinite(high) else None
    if first is None:
        reason = f"{never} by {whole.step[-1]:,.0f}"
        return Onset(value=None, low=low, high=None, status=OnsetStatus.CENSORED, reason=reason, metric=metric, level=level)
    if first == 0:
        reason = f"before the first measurement at {whole.step[0]:,.0f}"
        return Onset(value=None, low=0.0, high=upper, status=OnsetStatus.BEFORE_FIRST, reason=reason, metric=metric, level=level)
    value = _interpolate(whole, first, levels[1])
    low, upper = min(low, float(whole.step[first - 1])), None if upper is None else max(upper, float(whole.step[first]))
    return Onset(value=value, low=low, high=upper, status=OnsetStatus.REACHED, metric=metric, level=level)


def sustained_crossing(curve: Curve, level: float) -> int | None:
    """Index of the first point at or above the level that the next point confirms, or ``None``.

    The last point has no next one; it counts if its own interval excludes the level.
    """
    above = curve.value >= level
    for index in np.flatnonzero(above):
        confirmed = above[index + 1] if index + 1 < len(above) else curve.low[index] > level
        if confirmed:
            return int(index)
    return None


def crossing_time(curve: Curve, level: float) -> float | None:
    """When a curve first rises to ``level`` and stays, in steps; ``None`` if it does not, or did before its first point."""
    index = sustained_crossing(curve, level)
    return _interpolate(curve, index, level) if index else None


def consistent_cells(curve: Curve, level: float) -> Bool[ndarray, " cell"]:
    """For each cell between checkpoints, whether a rising curve may cross the level in it.

    Cell j lies before point j (cell 0: before the first; the last: after the last). At least one cell is consistent.
    """
    above_before = np.concatenate([[False], np.logical_or.accumulate(curve.low > level)])
    below_after = np.concatenate([np.logical_or.accumulate((curve.high < level)[::-1])[::-1], [False]])
    alone = ~(above_before | below_after)
    deviance = _deviance_before(curve, level) + _deviance_before(curve, level, mirrored=True)[::-1]
    together = deviance - deviance.min() <= CHI2_95
    return alone | together


def _deviance_before(curve: Curve, level: float, *, mirrored: bool = False) -> Float[ndarray, " cell"]:
    """For each cell -2 log likelihood, in the points before it, of the best rising curve that is at most the level there.

    One pass of pooling adjacent violators (Ayer et al. 1955): a further point changes the last blocks of the fit alone. ``mirrored``
    runs from the last point backward, for the best rising curve that is at least the level.
    """
    sign, shares = -1 if mirrored else 1, bool(curve.count.all())
    blocks: list[tuple[float, float, float, float]] = []  # mean, weight and scatter, and the deviance of all blocks before
    found = [0.0]
    for value, weight in zip((sign * curve.value)[::sign].tolist(), _weights(curve)[::sign].tolist(), strict=True):
        mean, total, scatter, before = value, weight, 0.0, found[-1]
        while blocks and blocks[-1][0] > mean:
            other, other_total, other_scatter, before = blocks.pop()
            scatter += other_scatter + (other - mean) ** 2 * total * other_total / (total + other_total)
            mean, total = (mean * total + other * other_total) / (total + other_total), total + other_total
        blocks.append((mean, total, scatter, before))
        found.append(before + _block_deviance(sign * mean, total, scatter, sign * min(mean, sign * level), shares=shares))
    return np.array(found)


def _block_deviance(mean: float, total: float, scatter: float, fitted: float, *, shares: bool) -> float:
    """That of points with this mean, weight and sum of weighted squares about their mean, where one value is fitted to them."""
    if shares:
        share = min(max(fitted, 1e-12), 1 - 1e-12)
        return -2 * total * (mean * log(share) + (1 - mean) * log(1 - share))
    return scatter + total * (mean - fitted) ** 2


def _weights(curve: Curve) -> Float[ndarray, " point"]:
    """Trials of a share, or one over the squared standard error of a mean."""
    if curve.count.all():
        return curve.count
    error = (curve.high - curve.low) / (2 * Z95)
    return 1 / np.maximum(error, 1e-12) ** 2


def _interpolate(curve: Curve, index: int, level: float) -> float:
    """Where the level is met between two points, linear in log tau."""
    (left, right), (a, b) = curve.step[index - 1 : index + 1], curve.value[index - 1 : index + 1]
    share = (level - a) / (b - a) if b > a else 1.0
    return float(left * (right / left) ** np.clip(share, 0, 1))


def _undefined(metric: str, level: float, reason: str) -> Onset:
    return Onset(value=None, low=None, high=None, status=OnsetStatus.UNDEFINED, metric=metric, level=level, reason=reason)
