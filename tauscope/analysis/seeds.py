"""Runs that differ by their seed alone as one: a curve's mean and an onset's geometric mean, with 95 % intervals over the seeds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from tauscope.contracts.onsets import Onset, OnsetStatus
from tauscope.metrics.intervals import mean_interval, student_factor

MIN_SEEDS = 3  # Two seeds tell a spread too poorly: Student's factor is 12.7 there.


@dataclass(frozen=True)
class SeedCurve:
    """One seed's measurements: training times in ascending order and positive, values and their own 95 % intervals, NaN where missing."""

    tau: Float[ndarray, " checkpoint"]
    value: Float[ndarray, " checkpoint"]
    low: Float[ndarray, " checkpoint"]
    high: Float[ndarray, " checkpoint"]


@dataclass(frozen=True)
class SeedMean:
    """Mean over the seeds with its 95 % interval at each training time at which every seed has a value; NaN beside a gap."""

    tau: Float[ndarray, " checkpoint"]
    mean: Float[ndarray, " checkpoint"]
    low: Float[ndarray, " checkpoint"]
    high: Float[ndarray, " checkpoint"]


def mean_over_seeds(curves: Sequence[SeedCurve]) -> SeedMean:
    """Average seeds point by point over the training times that all of them cover.

    A seed that was not measured at a time another one was is interpolated, linear in log tau. The interval is Student's over the seeds.
    It is never narrower than a single seed's own interval is on average: where all seeds agree by chance, as with no copy in any, a spread
    over seeds of zero is no certainty.

    Args:
        curves: one for each seed.

    Raises:
        ValueError: for fewer than three seeds.
    """
    if len(curves) < MIN_SEEDS:
        raise ValueError(f"{len(curves)} seeds give no interval over seeds; give {MIN_SEEDS} or more, or draw them singly")
    tau = _common_times(curves)
    if len(tau) == 0:
        return SeedMean(tau, tau, tau, tau)
    value = np.array([_at(tau, curve, curve.value) for curve in curves])
    mean, half = value.mean(axis=0), student_factor(len(curves)) * value.std(axis=0, ddof=1) / len(curves) ** 0.5
    own_low, own_high = (_own_ends(tau, curves, side) for side in ("low", "high"))
    return SeedMean(tau, mean, np.fmin(mean - half, own_low), np.fmax(mean + half, own_high))


def onset_over_seeds(onsets: Sequence[Onset]) -> Onset | None:
    """The geometric mean of an onset that every seed has reached, three or more of them, with Student's interval over log tau.

    As with curves the interval is never narrower than a single seed's own is on average: onsets that fall into one cell between
    two checkpoints agree by interpolation. ``None`` below three seeds, or where one has not reached it: a mean over those that have
    would be early.
    """
    if len(onsets) < MIN_SEEDS or any(onset.status is not OnsetStatus.REACHED for onset in onsets):
        return None
    values, lows, highs = (np.log([_end(onset, side) for onset in onsets]) for side in ("value", "low", "high"))
    mean, low, high = mean_interval(values)
    ends = {"value": mean, "low": min(low, lows.mean()), "high": max(high, highs.mean())}
    numbers = {name: float(np.exp(end)) for name, end in ends.items()}
    return onsets[0].model_copy(update={**numbers, "reason": f"geometric mean of {len(onsets)} seeds"})


def _end(onset: Onset, side: str) -> float:
    """An end of the interval, or the value where it is open: nothing is known of how far beyond it would lie."""
    assert onset.value is not None
    return float(getattr(onset, side) or onset.value)


def _common_times(curves: Sequence[SeedCurve]) -> Float[ndarray, " checkpoint"]:
    if any(len(curve.tau) == 0 for curve in curves):
        return np.empty(0)
    first, last = max(curve.tau[0] for curve in curves), min(curve.tau[-1] for curve in curves)
    union = np.unique(np.concatenate([curve.tau for curve in curves]))
    return union[(union >= first) & (union <= last)]


def _at(tau: Float[ndarray, " checkpoint"], curve: SeedCurve, column: Float[ndarray, " point"]) -> Float[ndarray, " checkpoint"]:
    return np.interp(np.log(tau), np.log(curve.tau), column)


def _own_ends(tau: Float[ndarray, " checkpoint"], curves: Sequence[SeedCurve], side: str) -> Float[ndarray, " checkpoint"]:
    return np.array([_at(tau, curve, getattr(curve, side)) for curve in curves]).mean(axis=0)
