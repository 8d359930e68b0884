"""How far two networks answer alike: the cosine of their predictions at points they were both asked. Torch-free."""

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from tauscope.metrics.intervals import mean_interval

Predictions = Float[ndarray, "_ _ _ _"]  # point, channel, height, width; whether two are of the same points is checked by name


def cosines(one: Predictions, other: Predictions) -> Float[ndarray, " point"]:
    """The cosine between two predictions at each point, float64: 1 where they point the same way, 0 where they have nothing in common.

    Raises:
        ValueError: if they are not of the same points, or one of them is zero or not a number somewhere.
    """
    if one.shape != other.shape:
        raise ValueError(f"predictions of shape {one.shape} and {other.shape} are not of the same points")
    first, second = (np.asarray(side, dtype=np.float64).reshape(len(side), -1) for side in (one, other))
    norms = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    found: Float[ndarray, " point"] = (first * second).sum(axis=1) / np.where(norms > 0, norms, np.nan)
    if not np.isfinite(found).all():
        raise ValueError("a prediction is zero or not a number, which has no direction")
    return found


def mean_cosine(one: Predictions, other: Predictions) -> tuple[float, float, float]:
    """The mean cosine over the points with its 95 % interval over them; (value, low, high).

    Raises:
        ValueError: as for ``cosines``.
    """
    return mean_interval(cosines(one, other))
