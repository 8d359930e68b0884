"""How typical each training image is of its set: the distance to its own nearest distinct training image.

A sample is called a copy by its distances to training images, so the same distance between training images says how alone an
image stands. Carlini et al. 2023 (arXiv:2301.13188) extract duplicated images most, and search among outliers for others. Van den Burg
and Williams 2021 (arXiv:2106.03216) define memorization by leaving an image out, and find that nearest-neighbour tests do not
capture it. So this distance stands beside the copies and is no measure of them.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from tauscope.specs.measurement import GAP_THRESHOLD

_BLOCK_ELEMENTS = 2**22  # Squared distances at a time: 32 MiB.


@dataclass(frozen=True)
class Distinct:
    """A training set without its repeats.

    Attributes:
        image: index of the first of each group of equal images, increasing.
        equal: how many images the group has.
        n_train: images of the whole set.
    """

    image: Int[ndarray, " distinct"]
    equal: Int[ndarray, " distinct"]
    n_train: int

    @classmethod
    def of(cls, train: Float[ndarray, "n_train ..."]) -> "Distinct":
        """Merge equal images, as the search for neighbours does."""
        groups: dict[bytes, list[int]] = {}
        for index, image in enumerate(train):
            groups.setdefault((image + 0.0).tobytes(), []).append(index)  # Adding zero makes -0 and 0 the same bytes.
        members = list(groups.values())
        return cls(np.array([group[0] for group in members]), np.array([len(group) for group in members]), len(train))


@dataclass(frozen=True)
class Typicality:
    """Every distinct training image among the others, and among held-out images, which copy nothing.

    Attributes:
        nearest: the nearest training image that differs, as an index into the whole set.
        distance: how far it is; Euclidean, in the units of the images.
        held_out_nearest: held-out images to which the image is the nearest of all.
        held_out_copies: those of them whose gap ratio is below 1/3: the control.
        n_held_out: how many held-out images were compared; ``None`` if there were none to compare.
    """

    nearest: Int[ndarray, " distinct"]
    distance: Float[ndarray, " distinct"]
    held_out_nearest: Int[ndarray, " distinct"]
    held_out_copies: Int[ndarray, " distinct"]
    n_held_out: int | None

    @property
    def rank(self) -> Int[ndarray, " distinct"]:
        """1 for the smallest distance; equal distances share the smallest of their ranks."""
        return 1 + np.searchsorted(np.sort(self.distance), self.distance)


def measure_typicality(
    train: Float[ndarray, "n_train ..."],
    distinct: Distinct,
    held_out: Float[ndarray, "n_held_out ..."] | None = None,
) -> Typicality:
    """Find the nearest distinct training image of each distinct training image, and of each held-out image.

    Raises:
        ValueError: if fewer than two training images differ.
    """
    if len(distinct.image) < 2:
        raise ValueError("all training images are equal: none has a nearest other one")
    references = _flat(train[distinct.image])
    own, distance = _two_nearest(references, references)
    nearest_held_out = np.zeros(len(references), dtype=np.int64)
    copies = nearest_held_out.copy()
    if held_out is not None:
        near, gaps = _two_nearest(_flat(held_out), references)
        nearest_held_out = np.bincount(near[:, 0], minlength=len(references))
        copies = np.bincount(near[gaps[:, 0] / gaps[:, 1] < GAP_THRESHOLD, 0], minlength=len(references))
    # The nearest of all is the image itself, at distance 0: references differ from each other.
    n_held_out = None if held_out is None else len(held_out)
    return Typicality(distinct.image[own[:, 1]], distance[:, 1], nearest_held_out, copies, n_held_out)


def comparisons(train: tuple[int, ...], held_out: tuple[int, ...] | None) -> int:
    """Multiplications that ``measure_typicality`` makes for arrays of these shapes."""
    return (train[0] + (held_out[0] if held_out else 0)) * int(np.prod(train))


def _flat(images: ndarray) -> ndarray:
    return images.reshape(len(images), -1).astype(np.float64)


def _two_nearest(queries: ndarray, references: ndarray) -> tuple[ndarray, ndarray]:
    """Indices of, and distances to, the two nearest references of each query, nearest first: [query, 2]."""
    # |x|^2 - 2 x.y + |y|^2 in float64 is wrong by about 1e-13, and unequal 8-bit images are 1e-5 apart; the distances of the two
    # that it proposes are computed again by difference.
    norms = (references**2).sum(1)
    rows = max(1, _BLOCK_ELEMENTS // len(references))
    found = [_nearest_of_block(queries[start : start + rows], references, norms) for start in range(0, len(queries), rows)]
    return np.concatenate([index for index, _ in found]), np.concatenate([distance for _, distance in found])


def _nearest_of_block(block: ndarray, references: ndarray, norms: ndarray) -> tuple[ndarray, ndarray]:
    near = np.argpartition(norms - 2 * block @ references.T, 1, axis=1)[:, :2]
    distance = np.sqrt(((block[:, None, :] - references[near]) ** 2).sum(2))
    order = np.argsort(distance, axis=1, kind="stable")
    return np.take_along_axis(near, order, axis=1), np.take_along_axis(distance, order, axis=1)
