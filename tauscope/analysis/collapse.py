"""How well the copying curves of different n, or widths W, fall onto one another once training time is divided by n^a W^b.

A copying curve is f_mem minus its held-out control, or another measure of copying that needs none.

Bonnaire et al. 2025 (arXiv:2505.17638) plot f_mem against tau/n, and against W tau, and see the curves collapse. The score makes
"see" a number. For levels l of a copying curve, tau_i(l) is the first time at which curve i has risen to l, linear in log tau
between checkpoints. The squared spread at exponents e is the variance of log tau_i(l) - e . x_i, x_i the logarithms of what the
curves are scaled with, over the curves that reach l, averaged over levels. The score S(e) is that spread relative to the
unscaled one, S(0) = 1; 0 is a perfect collapse.

S is a parabola in each exponent. Its minimum is the slope of log tau on x within levels (ordinary least squares with an
intercept for each level), and S there is the share of the variance that scaling leaves. Unlike the exponents fitted to onsets,
it uses the whole rise and not one level, and ignores how certain each checkpoint is.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy
from jaxtyping import Float
from numpy import ndarray

from tauscope.analysis.scaling import SYMBOLS
from tauscope.contracts.onsets import ScalingVariable
from tauscope.metrics.intervals import CONFIDENCE

LEVELS = 16
LOWEST = 0.05  # Below it a rise cannot be told from a control that wobbles.
RISEN = 0.2  # Curves that stay below have barely begun: what little of their shape is there would be read as a law.
_TOP = 0.8  # Of the highest: where a curve has levelled off, the time at which it first reaches a level is that of a chance peak.
_RESAMPLES = 1000
_NO_SPREAD = 1e-9
_ALIKE = 1e-6  # Of the variances: variables that part no more than this cannot be told apart.


class NoCollapseError(ValueError):
    """There is nothing to scale, and the message says in a clause what is missing."""


@dataclass(frozen=True)
class CopyCurve:
    """f_mem minus its held-out control of one run, or what else measures copying, at training times ``tau`` > 0, ascending.

    Attributes:
        n: training points.
        width: base width W of the network; needed where curves are scaled with it.
    """

    n: float
    tau: Float[ndarray, " point"]
    excess: Float[ndarray, " point"]
    width: float | None = None

    def place(self, variables: Sequence[ScalingVariable]) -> tuple[float, ...]:
        """Where the curve stands in each variable."""
        known = {"n": self.n, "width": self.width}
        return tuple(float(known[name] or np.nan) for name in variables)


@dataclass(frozen=True)
class Scaling:
    """The exponent of one variable at which curves lie closest, with a 95 % interval (``None`` where it has none)."""

    variable: ScalingVariable
    best: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Collapse:
    """The score S over exponents: its minimum, and its curvature ``within``, one row and column for each variable."""

    scalings: tuple[Scaling, ...]
    unscaled: float
    within: tuple[tuple[float, ...], ...]
    levels: tuple[float, float]
    curves: int
    note: str

    @property
    def best(self) -> tuple[float, ...]:
        """The exponents at which the curves lie closest, all at once."""
        return tuple(scaling.best for scaling in self.scalings)

    def spread(self, *exponents: float) -> float:
        """Root mean squared spread of log tau at exponents; e to its power is a factor between curves."""
        return float(np.sqrt(self.unscaled * self.score(*exponents)))

    def score(self, *exponents: float) -> float:
        """S: 1 without scaling, 0 if every curve is the same."""
        within, best = np.array(self.within), np.array(self.best)
        away = np.array(exponents) - best
        least = 1 - float(best @ within @ best) / self.unscaled
        return float(max(0.0, least) + away @ within @ away / self.unscaled)


def collapse(curves: Sequence[CopyCurve], variables: Sequence[ScalingVariable] = ("n",), *, seed: int = 0) -> Collapse:
    """The collapse score over the levels that curves of at least two values of each variable reach.

    The intervals are a delete-one-run jackknife with Student's quantile where every setting has two runs or more: a bootstrap over three
    runs of an n holds the truth two times in three. Otherwise they resample levels, and the note says so.

    Raises:
        NoCollapseError: if fewer than two values of a variable rise to ``RISEN``, or if the variables change together.
    """
    levels = _levels(curves, variables)
    x = np.log([curve.place(variables) for curve in curves])
    times = np.stack([rise_times(curve, levels) for curve in curves])
    moments = _moments(times, x)
    if moments is None:
        raise NoCollapseError(_not_told_apart(variables))
    unscaled, mixed, within = moments
    best = np.linalg.solve(within, mixed)
    places = [curve.place(variables) for curve in curves]
    by_runs = min(places.count(place) for place in places) >= 2
    ends = _over_runs(times, x, best) if by_runs else _over_levels(times, x, np.random.default_rng(seed))
    return Collapse(
        scalings=tuple(Scaling(name, float(at), *end) for name, at, end in zip(variables, best, ends, strict=True)),
        unscaled=unscaled,
        within=tuple(tuple(map(float, row)) for row in within),
        levels=(float(levels[0]), float(levels[-1])),
        curves=int(np.isfinite(times).any(axis=1).sum()),
        note="jackknife over runs"
        if by_runs
        else f"bootstrap over levels, run-to-run spread not included: one run at some {_named(variables)}",
    )


def _named(variables: Sequence[ScalingVariable]) -> str:
    return " and ".join(SYMBOLS[name] for name in variables)


def _not_told_apart(variables: Sequence[ScalingVariable]) -> str:
    if len(variables) > 1:
        return f"{_named(variables)} change together where curves rise, so their exponents cannot be told apart"
    return f"fewer than two values of {_named(variables)} rise far enough to be compared"


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


def _levels(curves: Sequence[CopyCurve], variables: Sequence[ScalingVariable]) -> Float[ndarray, " level"]:
    """Evenly spaced levels up to four fifths of the highest that two values of each variable reach."""
    highest = min(_second_highest(curves, name) for name in variables)
    return np.linspace(LOWEST, _TOP * highest, LEVELS)


def _second_highest(curves: Sequence[CopyCurve], variable: ScalingVariable) -> float:
    tops: dict[tuple[float, ...], float] = {}
    for curve in curves:
        if len(curve.excess):
            place = curve.place((variable,))
            tops[place] = max(tops.get(place, 0.0), float(curve.excess.max()))
    highest = sorted(tops.values(), reverse=True)[1] if len(tops) > 1 else 0.0
    if highest < RISEN:
        raise NoCollapseError(f"copying has to rise to {RISEN:.0%} at two values of {SYMBOLS[variable]}".replace("%", " %"))
    return highest


_Moments = tuple[float, Float[ndarray, " variable"], Float[ndarray, "variable variable"]]


def _moments(times: Float[ndarray, "run level"], x: Float[ndarray, "run variable"]) -> _Moments | None:
    """Mean over levels of the variance of log tau, its covariances with x, and those of x, over curves that reach it."""
    reached = np.isfinite(times)
    count = np.maximum(reached.sum(axis=0), 1)
    rows = np.stack([times, *np.broadcast_to(x.T[:, :, None], (x.shape[1], *times.shape))])  # [log tau and x, run, level]
    rows = np.where(reached, rows, 0.0)
    rows = np.where(reached, rows - rows.sum(axis=1, keepdims=True) / count, 0.0)
    moments = np.einsum("irl,jrl->ijl", rows, rows) / count
    informed = np.trace(moments[1:, 1:]) > _NO_SPREAD
    if not informed.any():
        return None
    mean = moments[:, :, informed].mean(axis=2)
    within = mean[1:, 1:]
    apart = np.linalg.eigvalsh(within)[0] > _ALIKE * np.trace(within)
    return (float(mean[0, 0]), mean[0, 1:], within) if mean[0, 0] > 0 and apart else None


def _slopes(times: Float[ndarray, "run level"], x: Float[ndarray, "run variable"]) -> Float[ndarray, " variable"] | None:
    moments = _moments(times, x)
    return np.linalg.solve(moments[2], moments[1]) if moments else None


_Ends = list[tuple[float | None, float | None]]


def _over_runs(times: Float[ndarray, "run level"], x: Float[ndarray, "run variable"], best: Float[ndarray, " variable"]) -> _Ends:
    """Ends of the intervals from the slopes without each run that takes part; slopes and intercept cost a degree of freedom each."""
    part = np.flatnonzero(np.isfinite(times).any(axis=1))
    slopes = [_slopes(times[part[part != run]], x[part[part != run]]) for run in part]
    known = np.array([slope for slope in slopes if slope is not None])
    freedom = len(part) - 1 - len(best)
    if len(known) < len(part) or freedom < 1:
        return [(None, None)] * len(best)
    error = np.sqrt((len(part) - 1) / len(part) * ((known - known.mean(axis=0)) ** 2).sum(axis=0))
    half = float(scipy.special.stdtrit(freedom, 0.5 + CONFIDENCE / 2)) * error
    return [(float(at - by), float(at + by)) for at, by in zip(best, half, strict=True)]


def _over_levels(times: Float[ndarray, "run level"], x: Float[ndarray, "run variable"], rng: np.random.Generator) -> _Ends:
    """Ends of the percentile bootstrap over levels."""
    n_levels = times.shape[1]
    slopes = [_slopes(times[:, rng.integers(0, n_levels, n_levels)], x) for _ in range(_RESAMPLES)]
    known = np.array([slope for slope in slopes if slope is not None])
    if not len(known):
        return [(None, None)] * x.shape[1]
    low, high = np.quantile(known, [0.025, 0.975], axis=0)
    return [(float(a), float(b)) for a, b in zip(low, high, strict=True)]
