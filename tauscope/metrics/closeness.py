"""Distances of samples to the nearest of a set, and which of two sets is nearer."""

import torch
from jaxtyping import Float
from torch import Tensor

from tauscope.metrics.intervals import clopper_pearson, mean_interval
from tauscope.metrics.neighbours import References

Estimate = tuple[float, float, float]


def nearest_distances(samples: Float[Tensor, "item dim"], references: References) -> Float[Tensor, " item"]:
    """Euclidean distance of each sample to the nearest reference, float64.

    Raises:
        ValueError: if a sample is not finite.
    """
    return references.nearest(samples, k=1).distance[:, 0]


def mean_nearest(distances: Float[Tensor, " item"]) -> Estimate:
    """Their mean with its 95 % Student interval over samples: E_gen where the references are a mixture's centres, E_mem where they are
    its training points; (value, low, high)."""
    return mean_interval(distances.cpu().numpy())


def share_nearer(to_train: Float[Tensor, " item"], to_held_out: Float[Tensor, " item"]) -> Estimate:
    """The share of samples nearer to a training point than to any point of an equally large held-out set; (value, low, high).

    The interval is the exact binomial one. Over many pairs of sets the null is 1/2, as both are draws of one law; given two sets it
    is what fresh draws of that law score, to be drawn beside.

    Args:
        to_train: each sample's distance to the nearest training point.
        to_held_out: to the nearest of as many held-out points.
    """
    nearer = int(torch.count_nonzero(to_train < to_held_out))
    return (nearer / len(to_train), *clopper_pearson(nearer, len(to_train)))
