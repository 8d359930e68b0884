"""The Vendi score: how many different samples there are, in effect (Friedman and Dieng 2023, arXiv:2210.02410)."""

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from tauscope.metrics.intervals import grouped, jackknife_half_width

GROUPS = 10


def vendi_score(features: Float[ndarray, "item dim"]) -> float:
    """exp of the entropy of the eigenvalues of K / n, with K the cosines between features; from 1 (all alike) to n (all orthogonal).

    It grows with n: compare equal counts alone. The n x n and the dim x dim matrix have the same eigenvalues; the smaller is taken.

    Raises:
        ValueError: if a feature vector is zero, which has no direction.
    """
    rows = np.asarray(features, np.float64)
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    if not norms.all():
        raise ValueError("a feature vector is zero, so its cosine with others is undefined; use another network")
    rows = rows / norms
    product = rows @ rows.T if len(rows) <= rows.shape[1] else rows.T @ rows
    weights = np.linalg.eigvalsh(product / len(rows))
    weights = weights[weights > 1e-12]
    return float(np.exp(-(weights * np.log(weights)).sum()))


def vendi_interval(features: Float[ndarray, "item dim"], *, groups: int = GROUPS) -> tuple[float, float, float]:
    """The score with its 95 % delete-a-group jackknife interval; (value, low, high)."""
    group = grouped(len(features), groups)
    value = vendi_score(features)
    half = jackknife_half_width(np.array([vendi_score(features[group != g]) for g in range(group.max() + 1)]))
    return value, max(value - half, 1.0), value + half
