"""How far samples are from a known density: an estimate of the Kullback-Leibler divergence to it."""

import numpy as np
import scipy
from jaxtyping import Float
from numpy import ndarray

from tauscope.metrics.distances import squared_distances
from tauscope.metrics.intervals import grouped, jackknife_half_width

NEIGHBOURS = 3
GROUPS = 16


def divergence(
    samples: Float[ndarray, "item dim"], log_density: Float[ndarray, " item"], *, k: int = NEIGHBOURS
) -> tuple[float, float, float]:
    """An estimate of KL(law of the samples | p) = E[log q(x) - log p(x)] in nats, with a 95 % interval; (value, low, high).

    q at a sample is read off the distance eps_i to its k-th nearest neighbour (Kozachenko and Leonenko 1987; Kraskov et al. 2004,
    arXiv:cond-mat/0305641, eq. 20): log q(x_i) = digamma(k) - digamma(N) - log V_d - d log eps_i, V_d the volume of the unit ball. The
    interval is a delete-a-group jackknife, 1.2 to 1.8 times as wide as needed for 512 draws of Gaussians in 1 to 8 dimensions, where
    Student's over samples, which share neighbours, was up to 1.6 times too narrow.

    No interval holds the bias: neighbours far apart see q blurred, which makes the estimate low. For 1,024 draws of a standard Gaussian,
    whose divergence to itself is 0, the mean of 40 estimates is .01 in 8 dimensions, -.66 in 16 and -3.2 in 32. So draw beside it what
    as many fresh draws of p score: the same bias, and 0 in truth.

    Args:
        samples: independent draws.
        log_density: log p at each, in nats.
        k: which neighbour.

    Raises:
        ValueError: if there are fewer than 2 (k + 1) samples, or more than k are the same.
    """
    count = len(samples)
    if count < 2 * (k + 1):
        raise ValueError(f"{count} samples are too few to compare {k} neighbours; give at least {2 * (k + 1)}")
    between, group = squared_distances(samples, samples), grouped(count, GROUPS)
    np.fill_diagonal(between, np.inf)
    value = _estimate(between, log_density, samples.shape[1], k)
    kept = [group != g for g in range(group.max() + 1)]
    left_out = [_estimate(between[np.ix_(rows, rows)], log_density[rows], samples.shape[1], k) for rows in kept]
    half = jackknife_half_width(np.array(left_out))
    return value, value - half, value + half


def _estimate(between: ndarray, log_density: ndarray, dim: int, k: int) -> float:
    squared = np.partition(between, k - 1, axis=1)[:, k - 1]
    if not (squared > 0).all():
        raise ValueError(f"more than {k} samples are the same; their law has no density")
    ball = dim / 2 * np.log(np.pi) - scipy.special.gammaln(dim / 2 + 1)
    offset = scipy.special.digamma(k) - scipy.special.digamma(len(between)) - ball
    return float((offset - dim / 2 * np.log(squared) - log_density).mean())
