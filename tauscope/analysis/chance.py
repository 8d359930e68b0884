"""What chance alone gives: counts of copies if all training images are alike, and how far a rank correlation can be trusted."""

import numpy as np
import scipy
from jaxtyping import Float
from numpy import ndarray

from tauscope.analysis.typicality import Distinct
from tauscope.contracts.copied import UniformCopying
from tauscope.metrics.intervals import CONFIDENCE, Z95


def uniform_copying(n_copies: int, distinct: Distinct) -> UniformCopying:
    """Counts of an image that is stored once if ``n_copies`` copies fell on the images of the training set alike.

    ``most`` is by the union bound over all images: at most 5 % of such draws have any count above it. An image that is stored k times
    is k times as likely.
    """
    low, high = uniform_range(n_copies, 1 / distinct.n_train)
    counts = np.arange(n_copies + 1)
    above = sum(
        images * scipy.special.bdtrc(counts, n_copies, weight / distinct.n_train)
        for weight, images in zip(*np.unique(distinct.equal, return_counts=True), strict=True)
    )
    return UniformCopying(expected=n_copies / distinct.n_train, low=low, high=high, most=int(np.argmax(above <= 1 - CONFIDENCE)))


def uniform_range(trials: int, chance: float) -> tuple[int, int]:
    """The 2.5 % and 97.5 % quantiles of a binomial count."""
    cumulative = scipy.special.bdtr(np.arange(trials + 1), trials, chance)
    cumulative[-1] = 1.0
    tail = (1 - CONFIDENCE) / 2
    return int(np.searchsorted(cumulative, tail)), int(np.searchsorted(cumulative, 1 - tail))


def rank_correlation(x: Float[ndarray, " item"], y: Float[ndarray, " item"]) -> tuple[float, float, float]:
    """Spearman's rank correlation with ties at mid-rank, and its 95 % interval; (value, low, high).

    By Fisher's transform with the variance (1 + value^2 / 2) / (n - 3) of Bonett and Wright (2000, Psychometrika 65, 23).
    """
    value = float(np.corrcoef(_mid_ranks(x), _mid_ranks(y))[0, 1])
    centre = np.arctanh(np.clip(value, -1 + 1e-12, 1 - 1e-12))
    half = Z95 * ((1 + value**2 / 2) / (len(x) - 3)) ** 0.5
    return value, float(np.tanh(centre - half)), float(np.tanh(centre + half))


def _mid_ranks(values: ndarray) -> ndarray:
    _, group, count = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(count) - (count - 1) / 2)[group]
