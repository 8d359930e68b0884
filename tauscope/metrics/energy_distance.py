"""The energy distance of two samples (Szekely and Rizzo 2013, doi:10.1016/j.jspi.2013.03.018): 0 for equal laws only."""

from functools import cached_property

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from tauscope.metrics.distances import squared_distances
from tauscope.metrics.mmd import mmd_interval

GROUPS = 32


class EnergyReference:
    """A reference sample, whose own distances are computed once.

    Args:
        reference: independent draws of the law that samples are held against.

    Raises:
        ValueError: if it has fewer than four rows.
    """

    def __init__(self, reference: Float[ndarray, "other dim"]) -> None:
        self._rows = _checked(reference)

    def distance(self, samples: Float[ndarray, "item dim"]) -> tuple[float, float, float]:
        """2 E|X - Y| - E|X - X'| - E|Y - Y'| with its 95 % interval; (value, low, high), in the units of the samples.

        The squared MMD with kernel -|x - y|, so unbiased, and at times below 0 between equal laws; the interval holds the error of both
        samples, see ``mmd_interval``. It is not the square root that some libraries return.

        Raises:
            ValueError: if there are fewer than four samples.
        """
        x = _checked(samples)
        return mmd_interval(_minus_distances(x), self._own, -np.sqrt(squared_distances(x, self._rows)), groups=GROUPS)

    @cached_property
    def _own(self) -> Float[ndarray, "other other"]:
        return _minus_distances(self._rows)


def _minus_distances(x: ndarray) -> ndarray:
    found = -np.sqrt(squared_distances(x, x))
    np.fill_diagonal(found, 0)
    return found


def _checked(rows: ndarray) -> ndarray:
    if len(rows) < 4:
        raise ValueError(f"{len(rows)} rows are too few for the energy distance; give at least four")
    return np.asarray(rows, np.float64)
