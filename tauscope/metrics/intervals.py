"""95 % intervals: binomial shares, means, and jackknives. Torch-free."""

from collections.abc import Callable

import numpy as np
import scipy
from jaxtyping import Float, Int
from numpy import ndarray

CONFIDENCE = 0.95
Z95 = 1.959963984540054  # ndtri(0.5 + CONFIDENCE / 2), written out: a process that measures nothing need not load SciPy.


def clopper_pearson(successes: int, trials: int, *, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """The exact two-sided binomial interval (Clopper and Pearson 1934).

    At no success in N trials its upper end is about 3.7/N, never zero.

    Raises:
        ValueError: unless 0 <= successes <= trials and trials >= 1.
    """
    if not 0 <= successes <= trials or trials < 1:
        raise ValueError(f"successes = {successes} of trials = {trials} is no share; give 0 <= successes <= trials, trials >= 1")
    tail = (1 - confidence) / 2
    low = 0.0 if successes == 0 else float(scipy.special.betaincinv(successes, trials - successes + 1, tail))
    high = 1.0 if successes == trials else float(scipy.special.betaincinv(successes + 1, trials - successes, 1 - tail))
    return low, high


def mean_interval(values: Float[ndarray, " item"]) -> tuple[float, float, float]:
    """Mean and its 95 % Student interval over independent items; (mean, low, high)."""
    n = len(values)
    mean = float(values.mean())
    half = student_factor(n) * float(values.std(ddof=1)) / n**0.5
    return mean, mean - half, mean + half


def student_factor(n_items: int) -> float:
    """How many standard errors a 95 % Student interval of the mean of so many items reaches to either side."""
    return float(scipy.special.stdtrit(n_items - 1, 0.5 + CONFIDENCE / 2))


def jackknife_interval(
    statistic: Callable[[ndarray], float], rows: Float[ndarray, "item feature"], *, groups: int = 32
) -> tuple[float, float, float]:
    """A statistic of all rows with its delete-a-group jackknife interval; (value, low, high).

    Rows are grouped by index modulo ``groups``. For a Frechet distance a percentile bootstrap is biased upward (resampled
    rows repeat, which shrinks the covariance); the jackknife is not.
    """
    value = statistic(rows)
    group = grouped(len(rows), groups)
    half = jackknife_half_width(np.array([statistic(rows[group != g]) for g in range(group.max() + 1)]))
    return value, max(value - half, 0.0), value + half


def grouped(count: int, groups: int) -> Int[ndarray, " item"]:
    """The group of each of ``count`` rows: its index modulo ``groups``, of which there are no more than rows."""
    return np.arange(count) % min(groups, count)


def jackknife_half_width(left_out: Float[ndarray, " group"]) -> float:
    """Half the 95 % interval of a statistic from its values with one group of rows left out each."""
    groups = len(left_out)
    error = float(np.sqrt((groups - 1) / groups * ((left_out - left_out.mean()) ** 2).sum()))
    return float(scipy.special.stdtrit(groups - 1, 0.5 + CONFIDENCE / 2)) * error


def ratio_interval(numerator: Float[ndarray, " item"], denominator: Float[ndarray, " item"]) -> tuple[float, float, float]:
    """sum(numerator) / sum(denominator) with its 95 % delete-one jackknife interval over independent items; (value, low, high)."""
    return sums_interval(lambda top, bottom: top / bottom, numerator, denominator)


def sums_interval(statistic: Callable[..., ndarray | np.floating], *terms: Float[ndarray, " item"]) -> tuple[float, float, float]:
    """A function of sums over independent items with its 95 % delete-one jackknife interval; (value, low, high).

    Args:
        statistic: takes the sums, each a number, or an array of the sums with one item left out each.
        terms: of each sum, what every item adds to it.
    """
    n = len(terms[0])
    sums = [part.sum() for part in terms]
    left_out = statistic(*(whole - part for whole, part in zip(sums, terms, strict=True)))
    error = float(np.sqrt((n - 1) / n * ((left_out - left_out.mean()) ** 2).sum()))
    half = float(scipy.special.stdtrit(n - 1, 0.5 + CONFIDENCE / 2)) * error
    value = float(statistic(*sums))
    return value, value - half, value + half


def median_interval(values: Float[ndarray, " item"]) -> tuple[float, float | None, float | None]:
    """Median and its distribution-free 95 % interval between two order statistics; (median, low, high).

    Fewer than six values have none: even their smallest and largest leave the median out in more than 5 % of all cases.
    """
    ordered, n = np.sort(values), len(values)
    rank = max((k for k in range(n // 2) if scipy.special.bdtr(k, n, 0.5) <= (1 - CONFIDENCE) / 2), default=None)
    median = float(np.median(ordered))
    return (median, None, None) if rank is None else (median, float(ordered[rank]), float(ordered[n - 1 - rank]))


def auc_interval(value: float, members: int, non_members: int) -> tuple[float, float]:
    """95 % score interval: every AUC that lies within 1.96 of its own standard errors of the measured one.

    Newcombe 2006 (doi:10.1002/sim.2324, method 5): the variance of Hanley and McNeil 1982, at the hypothetical AUC A and with
    both sizes replaced by their mean in its bracket. Unlike theirs, or DeLong's, it does not shrink to nothing at A = 1.
    """
    half = (members + non_members) / 2 - 1

    def excess(auc: float) -> float:
        variance = auc * (1 - auc) * (1 + half * ((1 - auc) / (2 - auc) + auc / (1 + auc))) / (members * non_members)
        return (auc - value) ** 2 - Z95**2 * variance

    # At 0 and 1 the variance is zero, so the measured end is itself a root there.
    low = 0.0 if value == 0 else float(scipy.optimize.brentq(excess, 0.0, min(value, 1 - 1e-12)))
    high = 1.0 if value == 1 else float(scipy.optimize.brentq(excess, max(value, 1e-12), 1.0))
    return low, high
