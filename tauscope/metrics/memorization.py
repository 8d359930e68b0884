"""f_mem: the share of samples that copy a training image, by the gap ratio (Yoon et al. 2023; arXiv:2505.17638)."""

from dataclasses import dataclass

from jaxtyping import Bool, Float, Int
from torch import Tensor

from tauscope.metrics.intervals import clopper_pearson
from tauscope.metrics.neighbours import nearest_distinct
from tauscope.specs.measurement import GAP_THRESHOLD


@dataclass(frozen=True)
class Memorization:
    """Gap ratios of N images against a training set.

    Attributes:
        gap_ratio: d1/d2, distances to the nearest and second-nearest distinct training image; in [0, 1].
        neighbours: indices of the two into the training set.
        distances: d1 and d2, Euclidean, in the units of the images.
        threshold: an image is a copy when its gap ratio is below it.
    """

    gap_ratio: Float[Tensor, " image"]
    neighbours: Int[Tensor, "image 2"]
    distances: Float[Tensor, "image 2"]
    threshold: float

    @property
    def is_copy(self) -> Bool[Tensor, " image"]:
        return self.gap_ratio < self.threshold

    @property
    def n_copies(self) -> int:
        return int(self.is_copy.sum())

    @property
    def count(self) -> int:
        return len(self.gap_ratio)

    @property
    def f_mem(self) -> float:
        return self.n_copies / self.count

    def interval(self) -> tuple[float, float]:
        """95 % Clopper-Pearson interval of f_mem."""
        return clopper_pearson(self.n_copies, self.count)


def measure_memorization(
    images: Float[Tensor, "image channel height width"],
    train: Float[Tensor, "n_train channel height width"],
    *,
    threshold: float = GAP_THRESHOLD,
) -> Memorization:
    """Find each image's two nearest distinct training images and their gap ratio.

    The same function on real held-out images is the control: the share that would be called copies without any copying.

    Raises:
        ValueError: if an image is not finite or the training set has fewer than two distinct images.
    """
    found = nearest_distinct(images.flatten(1), train.flatten(1), k=2)
    return Memorization(found.distance[:, 0] / found.distance[:, 1], found.index, found.distance, threshold)
