"""How well the copying curves of different n fall onto one another once training time is divided by n^a.

Bonnaire et al. 2025 (arXiv:2505.17638) plot f_mem against tau/n and see the curves collapse. The score makes "see" a number.
For levels l of f_mem minus control, tau_i(l) is the first time at which curve i has risen to l, linear in log tau between
checkpoints. The squared spread at exponent a is the variance of log tau_i(l) - a log n_i over the curves that reach l,
averaged over levels. The score S(a) is that spread relative to the unscaled one, S(0) = 1; 0 is a perfect collapse.

S is a parabola in a. Its minimum is the slope of log tau on log n within levels (ordinary least squares with an intercept
for each level), and S there is the share of the variance that scaling by n leaves. Unlike the exponent fitted to onsets,
it uses the whole rise and not one level, and ignores how certain each checkpoint is.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from scipy.special import stdtrit

from tauscope.metrics.intervals import CONFIDENCE

LEVELS = 16
LOWEST = 0.05  # Below it a rise cannot be told from a control that wobbles.
RISEN = 0.2  # Curves that stay below have barely begun: what little of their shape is there would be read as a law.
_TOP = 0.8  # Of the highest: where a curve has levelled off, the time at which it first reaches a level is that of a chance peak.
_RESAMPLES = 1000
_NO_SPREAD = 1e-9


class NoCollapseError(ValueError):
    """There is nothing to scale: fewer than two n rise far enough."""


@dataclass(frozen=True)
class CopyCurve:
    """f_mem minus its held-out control of one run with ``n`` training images, at training times ``tau`` > 0, ascending."""

    n: int
    tau: Float[ndarray, " point"]
    excess: Float[ndarray, " point"]


@dataclass(frozen=True)
class Collapse:
    """The parabola S(a), its minimum, and a 95 % interval of where it lies (``None`` where it has none)."""

    best: float
    low: float | None
    high: float | None
    unscaled: float
    within: float
    levels: tuple[float, float]
    curves: int
    note: str

    def spread(self, exponent: float) -> float:
        """Root mean squared spread of log tau at an exponent; e to its power is a factor between curves."""
        return float(np.sqrt(self.unscaled * self.score(exponent)))

    def score(self, exponent: float) -> float:
        """S(a): 1 without scaling, 0 if every curve is the same."""
        least = 1 - self.within * self.best**2 / self.unscaled
        return float(max(0.0, least) + self.within * (exponent - self.best) ** 2 / self.unscaled)


def collapse(curves: Sequence[CopyCurve], *, seed: int = 0) -> Collapse:
    """The collapse score over the levels that curves of at least two n reach.

    The interval is a delete-one-run jackknife with Student's quantile where every n has two runs or more: a bootstrap over three runs
    of an n holds the truth two times in three. Otherwise it resamples levels, and the note says so.

    Raises:
        NoCollapseError: if fewer than two n rise to ``RISEN``.
    """
    levels = _levels(curves)
    log_n = np.log([curve.n for curve in curves])
    times = np.stack([rise_times(curve, levels) for curve in curves])
    moments = _moments(times, log_n)
    if moments is None:
        raise NoCollapseError("fewer than two values of n rise far enough to be compared")
    unscaled, mixed, within = moments
    by_runs = min(sum(other.n == curve.n for other in curves) for curve in curves) >= 2
    low, high = _over_runs(times, log_n, mixed / within) if by_runs else _over_levels(times, log_n, np.random.default_rng(seed))
    return Collapse(
        best=mixed / within,
        low=low,
        high=high,
        unscaled=unscaled,
        within=within,
        levels=(float(levels[0]), float(levels[-1])),
        curves=int(np.isfinite(times).any(axis=1).sum()),
        note="jackknife over runs" if by_runs else "bootstrap over levels, run-to-run spread not included: one run at some n",
    )


def rise_times(curve: CopyCurve, levels: Float[ndarray, " level"]) -> Float[ndarray, " level"]:
    """Log of the first time at which a curve has risen to each level; NaN where it has not, or was there before its first point."""
    risen = np.maximum.accumulate(curve.excess)
    after = np.searchsorted(risen, levels)
    inside = (after > 0) & (after < len(risen))
    right = np.where(inside, after, 1)
    if len(risen) < 2:
        return np.full(len(levels), np.nan)
    log_tau, (a, b) = np.log(curve.tau), (risen[right - 1], risen[right])
    share = (levels - a) / np.where(b > a, b - a, 1.0)
    return np.where(inside, log_tau[right - 1] + share * (log_tau[right] - log_tau[right - 1]), np.nan)


def _levels(curves: Sequence[CopyCurve]) -> Float[ndarray, " level"]:
    """Evenly spaced levels up to four fifths of the highest that two n reach."""
    tops: dict[int, float] = {}
    for curve in curves:
        if len(curve.excess):
            tops[curve.n] = max(tops.get(curve.n, 0.0), float(curve.excess.max()))
    highest = sorted(tops.values(), reverse=True)[1] if len(tops) > 1 else 0.0
    if highest < RISEN:
        raise NoCollapseError(f"fewer than two values of n rise to {RISEN:.0%}")
    return np.linspace(LOWEST, _TOP * highest, LEVELS)


def _moments(times: Float[ndarray, "run level"], log_n: Float[ndarray, " run"]) -> tuple[float, float, float] | None:
    """Mean over levels of the variance of log tau, its covariance with log n, and the variance of log n, over curves that reach it."""
    reached = np.isfinite(times)
    count = np.maximum(reached.sum(axis=0), 1)
    x = np.where(reached, log_n[:, None], 0.0)
    y = np.where(reached, times, 0.0)
    x, y = (np.where(reached, values - values.sum(axis=0) / count, 0.0) for values in (x, y))
    moments = np.stack([y * y, x * y, x * x]).sum(axis=1) / count  # [moment, level]
    several_n = moments[2] > _NO_SPREAD
    if not several_n.any():
        return None
    unscaled, mixed, within = (float(value) for value in moments[:, several_n].mean(axis=1))
    return (unscaled, mixed, within) if unscaled > 0 else None


def _slope(times: Float[ndarray, "run level"], log_n: Float[ndarray, " run"]) -> float | None:
    moments = _moments(times, log_n)
    return moments[1] / moments[2] if moments else None


_Ends = tuple[float | None, float | None]


def _over_runs(times: Float[ndarray, "run level"], log_n: Float[ndarray, " run"], best: float) -> _Ends:
    """Ends of the interval from the slopes without each run that takes part; slope and intercept cost two degrees of freedom."""
    part = np.flatnonzero(np.isfinite(times).any(axis=1))
    slopes = [_slope(times[part[part != run]], log_n[part[part != run]]) for run in part]
    known = np.array([slope for slope in slopes if slope is not None])
    if len(known) < len(part) or len(part) < 3:
        return None, None
    error = np.sqrt((len(part) - 1) / len(part) * ((known - known.mean()) ** 2).sum())
    half = float(stdtrit(len(part) - 2, 0.5 + CONFIDENCE / 2) * error)
    return best - half, best + half


def _over_levels(times: Float[ndarray, "run level"], log_n: Float[ndarray, " run"], rng: np.random.Generator) -> _Ends:
    """Ends of the percentile bootstrap over levels."""
    n_levels = times.shape[1]
    slopes = [_slope(times[:, rng.integers(0, n_levels, n_levels)], log_n) for _ in range(_RESAMPLES)]
    known = [slope for slope in slopes if slope is not None]
    return (float(np.quantile(known, 0.025)), float(np.quantile(known, 0.975))) if known else (None, None)
