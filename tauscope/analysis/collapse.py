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

LEVELS = 16
LOWEST = 0.05  # Below it a rise cannot be told from a control that wobbles.
RISEN = 0.2  # Curves that stay below have barely begun: what little of their shape is there would be read as a law.
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
    """The parabola S(a), its minimum, and a 95 % bootstrap interval of where it lies (``None`` where it has none)."""

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

    The interval resamples runs within each n where every n has two or more, and levels otherwise; the note says which.

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
    rng = np.random.default_rng(seed)
    by_runs = min(sum(other.n == curve.n for other in curves) for curve in curves) >= 2
    slopes = [_slope(_resampled(times, log_n, rng, by_runs=by_runs)) for _ in range(_RESAMPLES)]
    known = [slope for slope in slopes if slope is not None]
    low, high = (float(end) for end in np.quantile(known, [0.025, 0.975])) if known else (None, None)
    return Collapse(
        best=mixed / within,
        low=low,
        high=high,
        unscaled=unscaled,
        within=within,
        levels=(float(levels[0]), float(levels[-1])),
        curves=int(np.isfinite(times).any(axis=1).sum()),
        note="bootstrap over runs within each n" if by_runs else "bootstrap over levels, run-to-run spread not included: one run at some n",
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
    """Evenly spaced levels up to the highest that two n reach."""
    tops: dict[int, float] = {}
    for curve in curves:
        if len(curve.excess):
            tops[curve.n] = max(tops.get(curve.n, 0.0), float(curve.excess.max()))
    highest = sorted(tops.values(), reverse=True)[1] if len(tops) > 1 else 0.0
    if highest < RISEN:
        raise NoCollapseError(f"fewer than two values of n rise to {RISEN:.0%}")
    return np.linspace(LOWEST, highest, LEVELS)


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


def _slope(sample: tuple[Float[ndarray, "run level"], Float[ndarray, " run"]]) -> float | None:
    moments = _moments(*sample)
    return moments[1] / moments[2] if moments else None


def _resampled(
    times: Float[ndarray, "run level"], log_n: Float[ndarray, " run"], rng: np.random.Generator, *, by_runs: bool
) -> tuple[Float[ndarray, "run level"], Float[ndarray, " run"]]:
    if not by_runs:
        return times[:, rng.integers(0, times.shape[1], times.shape[1])], log_n
    rows = np.concatenate([rng.choice(same := np.flatnonzero(log_n == value), len(same)) for value in np.unique(log_n)])
    return times[rows], log_n[rows]
