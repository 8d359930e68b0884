"""The images that a run is given: slices of a prepared data set, and the record of where they come from."""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Int, UInt8
from numpy import ndarray

from tauscope.datasets.array_images import ArrayImages
from tauscope.datasets.cache import Prepared, find_prepared, open_prepared
from tauscope.datasets.duplicates import Duplicates, find_duplicates, one_of_each
from tauscope.datasets.image_list import ImageList, UnreadableImageError
from tauscope.datasets.preparing import Preparation, Progress, unwatched
from tauscope.datasets.registered import place_of
from tauscope.datasets.source import DatasetError, ImageSource, check_colour, slices
from tauscope.specs.dataset import DatasetSpec

PREPARED_AT_ONCE = 2000  # Images, in a second or so.


@dataclass(frozen=True)
class Split:
    """Training, calibration and held-out images, uint8 in [0, 255], NCHW, with their classes (int64) where there are any."""

    train: UInt8[ndarray, "n_train channel height width"]
    held_out: UInt8[ndarray, "n_held_out channel height width"]
    calibration: UInt8[ndarray, "n_calibration channel height width"]
    train_labels: Int[ndarray, " n_train"] | None
    held_out_labels: Int[ndarray, " n_held_out"] | None
    preparation: Preparation
    n_merged: int = 0

    def duplicates(self) -> Duplicates:
        """Which training images stand there twice, and which held-out images are trained on."""
        return find_duplicates(self.train, self.held_out)

    def sha256(self) -> str:
        """The digest of exactly these pixels."""
        digest = hashlib.sha256()
        for images in (self.train, self.held_out, *([self.calibration] if len(self.calibration) else ())):
            digest.update(repr(images.shape).encode())
            digest.update(np.ascontiguousarray(images).tobytes())
        return digest.hexdigest()

    def labels_sha256(self) -> str | None:
        """The digest of exactly these classes; ``None`` where there are none."""
        if self.train_labels is None or self.held_out_labels is None:
            return None
        digest = hashlib.sha256()
        for labels in (self.train_labels, self.held_out_labels):
            digest.update(repr(labels.shape).encode())
            digest.update(np.ascontiguousarray(labels, "<i8").tobytes())
        return digest.hexdigest()

    def record(self, spec: DatasetSpec) -> dict[str, Any]:
        """What is kept with the run: the spec of the data, what was done to them, duplicates, and the digests of what was used."""
        duplicates = self.duplicates()
        merged = [f"{self.n_merged:,} images are left out as duplicates of earlier ones"] * bool(self.n_merged)
        return {
            "spec": spec.model_dump(mode="json"),
            "sha256": self.sha256(),
            "labels_sha256": self.labels_sha256(),
            "preparation": self.preparation.document,
            "duplicates": duplicates.document | {"merged": self.n_merged},
            "remarks": [*self.preparation.remarks(spec.size), *merged, *duplicates.remarks()],
        }


def split_at_hand(source: ImageSource, spec: DatasetSpec) -> Split | None:
    """As ``split_source``, but ``None`` where more images than take a moment would have to be prepared first.

    Raises:
        DatasetError: if the images are not there, unreadable, or too few.
    """
    images = source.open(place_of(spec))
    ready = _ready(images, spec) or find_prepared(images, size=spec.size, colour=spec.colour)
    return split_source(source, spec, unwatched) if ready or len(images) <= PREPARED_AT_ONCE else None


def split_source(source: ImageSource, spec: DatasetSpec, progress: Progress) -> Split:
    """Open a source, prepare its images, and take the slices of the spec, which alone are read into memory.

    Raises:
        DatasetError: if the images are not there, unreadable, or too few.
    """
    check_colour(source, spec)
    images = source.open(place_of(spec))
    slices(len(images), spec)  # Before all of them are prepared for nothing.
    prepared = _prepared(images, spec, progress)
    n_images = len(prepared.pixels)
    kept = one_of_each(prepared.pixels) if spec.duplicates == "merge" else np.arange(n_images)
    parts = [kept[part] for part in slices(len(kept), spec)]
    train, calibration, held_out = (np.array(prepared.pixels[part]) for part in parts)
    labels = _labels(images, prepared.record)
    train_labels, _, held_out_labels = (None if labels is None else labels[part] for part in parts)
    return Split(train, held_out, calibration, train_labels, held_out_labels, prepared.record, n_images - len(kept))


def _prepared(images: ImageList, spec: DatasetSpec, progress: Progress) -> Prepared:
    ready = _ready(images, spec)
    if ready is not None:
        return ready
    try:
        return open_prepared(images, size=spec.size, colour=spec.colour, skip=spec.unreadable == "skip", progress=progress)
    except UnreadableImageError as error:
        raise DatasetError(
            f"{error.place} cannot be read as an image: {error.reason}",
            "Replace it by an intact copy or remove it, or set dataset.unreadable to skip",
        ) from error


def _ready(images: ImageList, spec: DatasetSpec) -> Prepared | None:
    """Images of which there is nothing to prepare, nor to keep."""
    if isinstance(images, ArrayImages) and images.pixels.shape[1:] == (3 if spec.colour else 1, spec.size, spec.size):
        return Prepared(images.pixels, Preparation(len(images), (), 0))
    return None


def _labels(images: ImageList, record: Preparation) -> Int[ndarray, " image"] | None:
    labels = images.labels()
    return labels if labels is None else np.delete(labels, [item.index for item in record.unreadable])
