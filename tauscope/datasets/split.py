"""The images that a run is given: slices of a prepared data set, and the record of where they come from."""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Int, UInt8
from numpy import ndarray

from tauscope.datasets.array_images import ArrayImages
from tauscope.datasets.cache import Prepared, open_prepared
from tauscope.datasets.image_list import ImageList, UnreadableImageError
from tauscope.datasets.preparing import Preparation, Progress
from tauscope.datasets.source import DatasetError, ImageSource, check_colour, slices
from tauscope.specs.dataset import DatasetSpec


@dataclass(frozen=True)
class Split:
    """Training, calibration and held-out images, uint8 in [0, 255], NCHW, with their classes (int64) where there are any."""

    train: UInt8[ndarray, "n_train channel height width"]
    held_out: UInt8[ndarray, "n_held_out channel height width"]
    calibration: UInt8[ndarray, "n_calibration channel height width"]
    train_labels: Int[ndarray, " n_train"] | None
    held_out_labels: Int[ndarray, " n_held_out"] | None
    preparation: Preparation

    def sha256(self) -> str:
        """The digest of exactly these pixels."""
        digest = hashlib.sha256()
        for images in (self.train, self.held_out, *([self.calibration] if len(self.calibration) else ())):
            digest.update(repr(images.shape).encode())
            digest.update(np.ascontiguousarray(images).tobytes())
        return digest.hexdigest()

    def record(self, spec: DatasetSpec) -> dict[str, Any]:
        """What is kept with the run: the spec of the data, what was done to them, and the digest of what was used."""
        return {
            "spec": spec.model_dump(mode="json"),
            "sha256": self.sha256(),
            "preparation": self.preparation.document,
            "remarks": self.preparation.remarks(spec.size),
        }


def split_source(source: ImageSource, spec: DatasetSpec, progress: Progress) -> Split:
    """Open a source, prepare its images, and take the slices of the spec, which alone are read into memory.

    Raises:
        DatasetError: if the images are not there, unreadable, or too few.
    """
    check_colour(source, spec)
    images = source.open(spec.path)
    slices(len(images), spec)  # Before all of them are prepared for nothing.
    prepared = _prepared(images, spec, progress)
    parts = slices(len(prepared.pixels), spec)
    train, calibration, held_out = (np.array(prepared.pixels[part]) for part in parts)
    labels = _labels(images, prepared.record)
    train_labels, _, held_out_labels = (None if labels is None else labels[part] for part in parts)
    return Split(train, held_out, calibration, train_labels, held_out_labels, prepared.record)


def _prepared(images: ImageList, spec: DatasetSpec, progress: Progress) -> Prepared:
    if isinstance(images, ArrayImages) and images.pixels.shape[1:] == (3 if spec.colour else 1, spec.size, spec.size):
        return Prepared(images.pixels, Preparation(len(images), (), 0))  # There is nothing to prepare, nor to keep.
    try:
        return open_prepared(images, size=spec.size, colour=spec.colour, skip=spec.unreadable == "skip", progress=progress)
    except UnreadableImageError as error:
        raise DatasetError(
            f"{error.place} cannot be read as an image: {error.reason}",
            "Replace it by an intact copy or remove it, or set dataset.unreadable to skip",
        ) from error


def _labels(images: ImageList, record: Preparation) -> Int[ndarray, " image"] | None:
    labels = images.labels()
    return labels if labels is None else np.delete(labels, [item.index for item in record.unreadable])
