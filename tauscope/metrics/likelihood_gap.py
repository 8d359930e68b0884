"""The generalization gap of the feature likelihood divergence, FLD (Jiralerspong et al. 2023, arXiv:2302.04440)."""

import numpy as np
import scipy
from jaxtyping import Float
from numpy import ndarray

from tauscope.metrics.distances import squared_distances
from tauscope.metrics.intervals import Z95

# As published: Adam with this rate and number of steps, from the width that fits the nearest training image alone.
RATE, STEPS = 0.5, 50
FLOOR, NARROWEST, WIDEST = 1e-3, -40.0, 20.0
ORIGIN = (1 - 0.1) ** 2


def likelihood_gap(
    features: Float[ndarray, "item dim"], train: Float[ndarray, "n_train dim"], held_out: Float[ndarray, "other dim"]
) -> tuple[float, float, float]:
    """100 times the held-out less the training log-likelihood a dimension, under Gaussians around the samples; (value, low, high).

    Features are scaled to the held-out images' mean and deviation. Each sample is the centre of an isotropic Gaussian; the widths are
    fitted to the training images. Samples that copy get narrow Gaussians, which training images lie in and held-out ones do not:
    far below 0 is copying, 0 is none. Interval: normal, over training and held-out images, the samples and the fit taken as they are.
    """
    mean, deviation = held_out.mean(0, dtype=np.float64), held_out.std(0, ddof=1, dtype=np.float64)
    scale = np.where(deviation > 0, deviation, 1)
    centres, seen, unseen = ((np.asarray(rows, np.float64) - mean) / scale for rows in (features, train, held_out))
    dim = centres.shape[1]
    log_width = fit_log_widths(squared_distances(seen, centres), squared_distances(seen, seen.mean(0, keepdims=True))[:, 0], dim)
    own, other = (-_log_likelihood(squared_distances(rows, centres), log_width, dim) / dim for rows in (seen, unseen))
    value = 100 * float(own.mean() - other.mean())
    half = 100 * Z95 * float(np.sqrt(own.var(ddof=1) / len(own) + other.var(ddof=1) / len(other)))
    return value, value - half, value + half


def fit_log_widths(squared: Float[ndarray, "n_train item"], to_mean: Float[ndarray, " n_train"], dim: int) -> Float[ndarray, " item"]:
    """The logarithms of the squared widths that make the training images likely.

    Beside the samples' Gaussians stands one around the mean of the training images, to which squared distances count 0.81 times, so
    that no training image is so unlikely that it alone decides the fit. It takes no part in the likelihoods afterwards.

    Args:
        squared: squared distances of the training images to the samples.
        to_mean: and to their own mean.
        dim: of the features.
    """
    distances = np.column_stack([squared, ORIGIN * to_mean])
    offset = np.append(np.full(squared.shape[1], -np.log(squared.shape[1])), 0.0)
    log_width = np.append(np.log((squared.min(0) + FLOOR) / dim), 0.0)
    first, second = np.zeros_like(log_width), np.zeros_like(log_width)
    for step in range(1, STEPS + 1):
        terms = _pairwise(distances, log_width, dim) + offset
        share = np.exp(terms - scipy.special.logsumexp(terms, axis=1, keepdims=True))
        gradient = -(share * (0.5 * distances / np.exp(log_width) - dim / 2)).mean(0) / dim
        first, second = 0.9 * first + 0.1 * gradient, 0.999 * second + 0.001 * gradient**2
        log_width = log_width - RATE * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
        log_width[:-1] = np.clip(log_width[:-1], NARROWEST, WIDEST)
    return log_width[:-1]


def _log_likelihood(squared: ndarray, log_width: ndarray, dim: int) -> Float[ndarray, " item"]:
    found: Float[ndarray, " item"] = scipy.special.logsumexp(_pairwise(squared, log_width, dim), axis=1) - np.log(len(log_width))
    return found


def _pairwise(squared: ndarray, log_width: ndarray, dim: int) -> ndarray:
    return -0.5 * squared / np.exp(log_width) - dim / 2 * (log_width + np.log(2 * np.pi))
