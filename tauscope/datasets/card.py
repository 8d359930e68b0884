"""What is said of a data set when it is registered: how many images, of what sizes and classes, how many unreadable or there twice."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from tauscope.datasets.cache import open_prepared
from tauscope.datasets.duplicates import Duplicates, find_duplicates
from tauscope.datasets.image_list import ImageList, UnreadableImageError
from tauscope.datasets.preparing import square

SHEET_IMAGES = 32
SHEET_SIZE = 32
SIZES_LOOKED_AT = 256
SHOWN_SIZES = 3
# Up to so many images each is read when the set is registered; of a larger one that is left to the first run.
READ_ALL = 5000


@dataclass(frozen=True)
class Card:
    """The facts of a card.

    Args:
        n_images: how many there are.
        sizes: width x height of the first 256, the most frequent first, in words.
        n_classes: how many classes, or ``None`` where there are no labels.
        n_unreadable: how many cannot be read, or ``None`` where not every image was read.
        n_equal: images of which another is equal in every byte once prepared at 32 pixels, grey; ``None`` likewise.
        n_near: images of which another one is a near duplicate; ``None`` likewise.
    """

    n_images: int
    sizes: str
    n_classes: int | None
    n_unreadable: int | None
    n_equal: int | None
    n_near: int | None

    @property
    def document(self) -> dict[str, Any]:
        return asdict(self)


def read_card(images: ImageList) -> Card:
    """Look at a data set; every image is read where there are at most ``READ_ALL``.

    Raises:
        OSError: if the cache of prepared images cannot be written.
    """
    labels = images.labels()
    n_classes = None if labels is None else len(np.unique(labels))
    if len(images) > READ_ALL:
        return Card(len(images), _sizes(images), n_classes, None, None, None)
    n_unreadable, found = _all_read(images)
    return Card(len(images), _sizes(images), n_classes, n_unreadable, found.train_equal, found.train_near)


def sheet(images: ImageList) -> UInt8[ndarray, "image 3 32 32"]:
    """The first images that can be read, prepared as for a run, in colour."""
    return np.stack([*_first(images)] or [np.zeros((3, SHEET_SIZE, SHEET_SIZE), np.uint8)])


def _first(images: ImageList) -> Iterator[ndarray]:
    for index in range(min(len(images), SHEET_IMAGES)):
        try:
            yield square(images.picture(index), SHEET_SIZE, colour=True)
        except (UnreadableImageError, ValueError):
            continue


def _all_read(images: ImageList) -> tuple[int, Duplicates]:
    prepared = open_prepared(images, size=SHEET_SIZE, colour=False, skip=True)
    return len(prepared.record.unreadable), find_duplicates(prepared.pixels, prepared.pixels[:0])


def _sizes(images: ImageList) -> str:
    counted = Counter(_size(images, index) for index in range(min(len(images), SIZES_LOOKED_AT)))
    shown = [size for size, _ in counted.most_common(SHOWN_SIZES) if size]
    return ", ".join(shown) + (", ..." if len(counted) > SHOWN_SIZES else "")


def _size(images: ImageList, index: int) -> str:
    try:
        height, width, _ = images.picture(index).shape
    except UnreadableImageError:
        return ""
    return f"{width}x{height}"
