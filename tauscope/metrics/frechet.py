"""The Frechet distance between Gaussians fitted to features (Dowson and Landau 1982; Heusel et al. 2017, arXiv:1706.08500).

It is "FID" only on the 2048 features of the 2015 Inception network; on anything else it carries the features' name.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from tauscope.metrics.intervals import jackknife_interval


def frechet_distance(
    mean: Float[ndarray, " dim"], covariance: Float[ndarray, "dim dim"], other_mean: Float[ndarray, " dim"], root: Float[ndarray, "dim dim"]
) -> float:
    """|m - m'|^2 + Tr(C + C' - 2 (C'^1/2 C C'^1/2)^1/2), in float64.

    Args:
        root: the symmetric square root of the other covariance, so that a reference's root is taken once.
    """
    inner = np.linalg.eigvalsh(root @ covariance @ root)
    overlap = np.sqrt(np.clip(inner, 0, None)).sum()
    shift = mean - other_mean
    return max(float(shift @ shift + np.trace(covariance) + np.trace(root @ root) - 2 * overlap), 0.0)


@dataclass(frozen=True)
class FrechetReference:
    """Mean and covariance root of a reference feature set; build it once, compare with it often."""

    mean: Float[ndarray, " dim"]
    root: Float[ndarray, "dim dim"]
    count: int

    @classmethod
    def of(cls, features: Float[ndarray, "item dim"]) -> "FrechetReference":
        """Fit the reference."""
        values, vectors = np.linalg.eigh(np.cov(features, rowvar=False))
        root = (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T
        return cls(features.mean(0), root, len(features))

    def distance(self, features: Float[ndarray, "item dim"]) -> float:
        """The Frechet distance of features to the reference; biased upward by about 1/count."""
        return frechet_distance(features.mean(0), np.cov(features, rowvar=False), self.mean, self.root)

    def distance_interval(self, features: Float[ndarray, "item dim"]) -> tuple[float, float, float]:
        """The distance with its 95 % jackknife interval over the given features; (value, low, high)."""
        return jackknife_interval(self.distance, features)


@dataclass(frozen=True)
class PrincipalComponents:
    """Features: the leading principal components of real held-out images."""

    mean: Float[ndarray, " pixel"]
    axes: Float[ndarray, "pixel component"]

    @classmethod
    def of(cls, images: Float[ndarray, "item channel height width"], components: int) -> "PrincipalComponents":
        """Fit the components; at most as many as there are pixels."""
        flat = images.reshape(len(images), -1).astype(np.float64)
        mean = flat.mean(0)
        _, _, axes = np.linalg.svd(flat - mean, full_matrices=False)
        return cls(mean, axes[:components].T)

    def features(self, images: Float[ndarray, "item channel height width"]) -> Float[ndarray, "item component"]:
        """Coordinates of images along the components, float64, in the units of the images."""
        return (images.reshape(len(images), -1).astype(np.float64) - self.mean) @ self.axes
