"""Precision and recall (Kynkaanniemi et al. 2019, arXiv:1904.06991), density and coverage (Naeem et al. 2020, arXiv:2002.09797).

The manifold of a set is the union of the balls around its points that reach to their k-th nearest other point. A copy of training images
lies in the manifold of held-out ones and around their points like any real image does, so all four stay high for a copier.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

from tauscope.metrics.distances import squared_distances, squared_radii
from tauscope.metrics.intervals import clopper_pearson, mean_interval


@dataclass(frozen=True)
class Prdc:
    """Each (value, low, high), 95 %.

    Attributes:
        precision: share of samples in the manifold of the reference.
        recall: share of the reference in the manifold of the samples.
        density: number of reference balls that hold a sample, over k, mean over samples; above 1 where samples crowd dense places.
        coverage: share of reference points whose ball holds a sample.
    """

    precision: tuple[float, float, float]
    recall: tuple[float, float, float]
    density: tuple[float, float, float]
    coverage: tuple[float, float, float]


@dataclass(frozen=True)
class Manifold:
    """A reference set with the radius of each of its points."""

    points: Float[ndarray, "item dim"]
    squared_radius: Float[ndarray, " item"]
    k: int

    @classmethod
    def of(cls, points: Float[ndarray, "item dim"], k: int) -> "Manifold":
        """Find the radii."""
        return cls(points, squared_radii(points, k), k)

    def prdc(self, features: Float[ndarray, "item dim"]) -> Prdc:
        """All four for the features of samples.

        Intervals: Clopper and Pearson's over samples (precision) and over reference images (recall, coverage), Student's over samples
        (density); each takes the other set, and all radii, as they are.
        """
        between = squared_distances(features, self.points)
        inside = between < self.squared_radius
        within = between < squared_radii(features, self.k)[:, None]
        return Prdc(
            precision=_share(np.any(inside, axis=1)),
            recall=_share(np.any(within, axis=0)),
            density=mean_interval(inside.sum(1) / self.k),
            coverage=_share(np.any(inside, axis=0)),
        )


def _share(hits: Bool[ndarray, " item"]) -> tuple[float, float, float]:
    count = int(np.count_nonzero(hits))
    return count / len(hits), *clopper_pearson(count, len(hits))
