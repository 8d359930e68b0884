"""The squared maximum mean discrepancy of two samples from their kernel values (Gretton et al. 2012, JMLR 13:723), all pairs."""

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from tauscope.metrics.intervals import grouped, jackknife_half_width


def mmd_interval(
    own: Float[ndarray, "item item"], other: Float[ndarray, "other other"], cross: Float[ndarray, "item other"], *, groups: int
) -> tuple[float, float, float]:
    """mean_{i != j} k(x_i, x_j) + mean_{i != j} k(y_i, y_j) - 2 mean k(x_i, y_j), with its 95 % interval; (value, low, high).

    Unbiased at any count, so it may come out below 0. The interval joins the delete-a-group jackknives over the x and over the y.

    Args:
        own: k(x_i, x_j), its diagonal zero.
        other: k(y_i, y_j), its diagonal zero.
        cross: k(x_i, y_j).
        groups: how many are left out in turn.
    """
    value = _mmd(own.sum(), other.sum(), cross.sum(), *cross.shape)
    by_items, by_others = _left_out(own, other, cross, groups), _left_out(other, own, cross.T, groups)
    half = float(np.hypot(jackknife_half_width(by_items), jackknife_half_width(by_others)))
    return value, value - half, value + half


def _mmd(own: float, other: float, cross: float, n: int, m: int) -> float:
    return float(own / (n * (n - 1)) + other / (m * (m - 1)) - 2 * cross / (n * m))


def _left_out(own: ndarray, other: ndarray, cross: ndarray, groups: int) -> ndarray:
    """The discrepancy with a group of the first set left out, from sums of its rows; no kernel is computed again."""
    group = grouped(len(own), groups)
    rows, across, other_sum = own.sum(1), cross.sum(1), other.sum()
    found = []
    for g in range(group.max() + 1):
        out = group == g
        within = own[np.ix_(out, out)].sum()
        kept = len(own) - int(out.sum())
        found.append(_mmd(rows.sum() - 2 * rows[out].sum() + within, other_sum, across[~out].sum(), kept, len(other)))
    return np.array(found)
