"""The contract of a data set: a named split in a fixed order, held-out images disjoint from every training slice."""

import hashlib
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from jaxtyping import Int64, UInt8
from numpy import ndarray

from tauscope.specs.dataset import DatasetSpec


class DatasetError(Exception):
    """The data a spec asks for cannot be had; ``remedy`` says what to do."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


@dataclass(frozen=True)
class Split:
    """Training and held-out images, uint8 in [0, 255], NCHW, the digest of exactly these pixels, and labels where there are."""

    train: UInt8[ndarray, "n_train channel height width"]
    held_out: UInt8[ndarray, "n_held_out channel height width"]
    train_labels: Int64[ndarray, " n_train"] | None = None
    held_out_labels: Int64[ndarray, " n_held_out"] | None = None

    def sha256(self) -> str:
        digest = hashlib.sha256()
        for images in (self.train, self.held_out):
            digest.update(repr(images.shape).encode())
            digest.update(np.ascontiguousarray(images).tobytes())
        return digest.hexdigest()


class ImageSource(Protocol):
    """One data set."""

    @property
    def name(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def native_size(self) -> str: ...
    @property
    def n_images(self) -> int | None: ...
    @property
    def licence(self) -> str: ...
    @property
    def origin(self) -> str: ...

    def missing(self, path: str | None) -> str:
        """What is missing on this machine and what to do, or an empty text."""
        ...

    def count(self, path: str | None) -> int:
        """How many images there are, without reading them."""
        ...

    def load(self, spec: DatasetSpec) -> Split:
        """Load the split. The order of the images never depends on the machine.

        Raises:
            DatasetError: if the images are not there, unreadable, or too few.
        """
        ...


def slices(n_images: int, spec: DatasetSpec) -> tuple[slice, slice]:
    """Indices of the training slice [subset n, (subset + 1) n) and of the held-out images, the last of all.

    Raises:
        DatasetError: if the slice reaches into the held-out images; says how many there are and were asked.
    """
    available = n_images - spec.n_held_out
    end = (spec.subset + 1) * spec.n_train
    if end > available:
        raise DatasetError(
            f"{spec.name} has {n_images} images, of which {spec.n_held_out} are held out; "
            f"subset {spec.subset} of n_train = {spec.n_train} needs the first {end}",
            f"Ask for at most {max(available, 0)} training images in all: lower dataset.n_train, dataset.subset or dataset.n_held_out",
        )
    return slice(end - spec.n_train, end), slice(available, n_images)
