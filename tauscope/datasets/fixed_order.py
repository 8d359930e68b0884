"""One fixed random order over a list, for files sorted by class, writer or day would hold out another kind than they train on."""

import hashlib

import numpy as np
from jaxtyping import Int, UInt8
from numpy import ndarray

from tauscope.datasets.image_list import ImageList

PERMUTATION_SEED = 0


class FixedRandomOrder:
    """An ``ImageList`` that hands over another one's images in an order that depends on their number alone."""

    def __init__(self, images: ImageList) -> None:
        self.images = images
        self._order = np.random.default_rng(PERMUTATION_SEED).permutation(len(images))

    def __len__(self) -> int:
        return len(self.images)

    def picture(self, index: int) -> UInt8[ndarray, "height width channel"]:
        return self.images.picture(int(self._order[index]))

    def place(self, index: int) -> str:
        return self.images.place(int(self._order[index]))

    def labels(self) -> Int[ndarray, " image"] | None:
        labels = self.images.labels()
        return None if labels is None else labels[self._order]

    def fingerprint(self) -> str:
        """Another than that of the list itself: the two stand in different orders."""
        return hashlib.sha256(f"random order {PERMUTATION_SEED} {self.images.fingerprint()}".encode()).hexdigest()
