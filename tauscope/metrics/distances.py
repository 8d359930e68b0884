"""Squared distances between all pairs of features, by one matrix product in float64."""

import numpy as np
from jaxtyping import Float
from numpy import ndarray


def squared_distances(x: Float[ndarray, "item dim"], y: Float[ndarray, "other dim"]) -> Float[ndarray, "item other"]:
    """|x|^2 - 2 x.y + |y|^2, never below zero; both are centred first, so that rounding is of the size of their spread."""
    centre = y.mean(0, dtype=np.float64)
    left, right = np.asarray(x, np.float64) - centre, np.asarray(y, np.float64) - centre
    found: Float[ndarray, "item other"] = -2 * (left @ right.T)
    found += (left**2).sum(1)[:, None]
    found += (right**2).sum(1)
    return np.maximum(found, 0, out=found)


def squared_radii(features: Float[ndarray, "item dim"], k: int) -> Float[ndarray, " item"]:
    """The squared distance of each row to the k-th nearest other row.

    Raises:
        ValueError: if there are not more than k rows.
    """
    if len(features) <= k:
        raise ValueError(f"{len(features)} rows have no {k} neighbours each; give at least {k + 1}")
    between = squared_distances(features, features)
    np.fill_diagonal(between, np.inf)
    return np.partition(between, k - 1, axis=1)[:, k - 1]
