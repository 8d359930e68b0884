"""f_mem: the share of samples that copy a training image, by the gap ratio (Yoon et al. 2023; arXiv:2505.17638)."""

from dataclasses import dataclass

from jaxtyping import Bool, Float, Int
from torch import Tensor

from tauscope.metrics.intervals import clopper_pearson
from tauscope.metrics.neighbours import References
from tauscope.specs.copying import ADAPTIVE, ADAPTIVE_NEIGHBOURS, ADAPTIVE_SCALE, GAP_THRESHOLDS
from tauscope.specs.measurement import GAP_THRESHOLD


@dataclass(frozen=True)
class Memorization:
    """How near N images come to a training set.

    Attributes:
        gap_ratio: d1/d2, distances to the nearest and second-nearest distinct training image; in [0, 1].
        neighbours: indices of the two into the training set.
        distances: d1 and d2, Euclidean, in the units of the images.
        threshold: an image is a copy when its gap ratio is below it.
        adaptive_ratio: d1 over half the mean distance of the 50 nearest distinct training images, below 1 for a copy (the adaptive l2
            of Carlini et al. 2023, arXiv:2301.13188); ``None`` if the training set has fewer.
    """

    gap_ratio: Float[Tensor, " image"]
    neighbours: Int[Tensor, "image 2"]
    distances: Float[Tensor, "image 2"]
    threshold: float
    adaptive_ratio: Float[Tensor, " image"] | None = None

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

    def share(self, threshold: float) -> tuple[float, float, float]:
        """The share of gap ratios below a threshold, with its 95 % Clopper-Pearson interval."""
        return _share(self.gap_ratio < threshold)

    def shares(self) -> dict[str, tuple[float, float, float] | None]:
        """The share of copies by every criterion, with its 95 % Clopper-Pearson interval; ``None`` where it has none."""
        found = {name: self.share(threshold) for name, threshold in GAP_THRESHOLDS.items()}
        return {**found, ADAPTIVE: None if self.adaptive_ratio is None else _share(self.adaptive_ratio < 1)}


def measure_memorization(
    images: Float[Tensor, "image ..."],
    train: Float[Tensor, "n_train ..."] | References,
    *,
    threshold: float = GAP_THRESHOLD,
    adaptive: bool = True,
) -> Memorization:
    """Find each image's nearest distinct training images and their gap ratio.

    The same function on real held-out images is the control: the share that would be called copies without any copying. Features of
    images in place of pixels give the same statistic of another space.

    Args:
        images: pixels, or features.
        train: the same of the training images; ``References`` of their flattened rows where more images follow.
        adaptive: whether the 50 nearest are wanted, for the adaptive l2.

    Raises:
        ValueError: if an image is not finite or the training set has fewer than two distinct images.
    """
    references = train if isinstance(train, References) else References(train.flatten(1))
    enough = adaptive and references.n_distinct >= ADAPTIVE_NEIGHBOURS
    found = references.nearest(images.flatten(1), k=ADAPTIVE_NEIGHBOURS if enough else 2)
    nearest, distances = found.index[:, :2], found.distance[:, :2]
    ratio = found.distance[:, 0] / (ADAPTIVE_SCALE * found.distance.mean(1)) if enough else None
    return Memorization(distances[:, 0] / distances[:, 1], nearest.contiguous(), distances.contiguous(), threshold, ratio)


def _share(is_copy: Tensor) -> tuple[float, float, float]:
    n_copies, count = int(is_copy.sum()), len(is_copy)
    return (n_copies / count, *clopper_pearson(n_copies, count))
