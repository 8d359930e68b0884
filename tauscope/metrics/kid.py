"""The kernel distance of Binkowski et al. 2018 (arXiv:1801.01401): KID on Inception's features, a polynomial-kernel MMD on any other."""

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from tauscope.metrics.intervals import grouped, jackknife_half_width

GROUPS = 32


def kernel_distance(
    features: Float[ndarray, "item dim"], reference: Float[ndarray, "other dim"], *, groups: int = GROUPS
) -> tuple[float, float, float]:
    """The unbiased squared MMD with kernel (x.y / dim + 1)^3, all pairs, and its 95 % interval; (value, low, high).

    mean_{i != j} k(x_i, x_j) + mean_{i != j} k(y_i, y_j) - 2 mean k(x_i, y_j). Unbiased at any count, so it may come out below 0. The
    interval joins the delete-a-group jackknives over the features and over the reference.

    Raises:
        ValueError: if either has fewer than four rows.
    """
    x, y = np.asarray(features, np.float64), np.asarray(reference, np.float64)
    if min(len(x), len(y)) < 4:
        raise ValueError(f"{len(x)} and {len(y)} rows are too few for the kernel distance; give at least four of each")
    own, other, cross = _kernel(x, x), _kernel(y, y), _kernel(x, y)
    np.fill_diagonal(own, 0)
    np.fill_diagonal(other, 0)
    value = _mmd(own.sum(), other.sum(), cross.sum(), len(x), len(y))
    by_features, by_reference = _left_out(own, other, cross, groups), _left_out(other, own, cross.T, groups)
    half = float(np.hypot(jackknife_half_width(by_features), jackknife_half_width(by_reference)))
    return value, value - half, value + half


def _kernel(x: ndarray, y: ndarray) -> ndarray:
    product = x @ y.T
    product /= x.shape[1]
    product += 1
    return product**3


def _mmd(own: float, other: float, cross: float, n: int, m: int) -> float:
    return float(own / (n * (n - 1)) + other / (m * (m - 1)) - 2 * cross / (n * m))


def _left_out(own: ndarray, other: ndarray, cross: ndarray, groups: int) -> ndarray:
    """The distance with a group of the first set left out, from sums of its rows; no kernel is computed again."""
    group = grouped(len(own), groups)
    rows, across, other_sum = own.sum(1), cross.sum(1), other.sum()
    found = []
    for g in range(group.max() + 1):
        out = group == g
        within = own[np.ix_(out, out)].sum()
        kept = len(own) - int(out.sum())
        found.append(_mmd(rows.sum() - 2 * rows[out].sum() + within, other_sum, across[~out].sum(), kept, len(other)))
    return np.array(found)
