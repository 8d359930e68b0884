"""Raw images made square, of one size and of one or three channels, as arXiv:2505.17638 prepares CelebA.

Grey first if grey is asked for, then the short edge resized (bilinear), then the centre cut out.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray
from PIL import Image

from tauscope.datasets.image_list import ImageList, UnreadableImageError

VERSION = 1  # Of the pixels that come out; a cache of another version is not read.
MAX_ELONGATION = 64

# Is told how many of how many images are done.
Progress = Callable[[int, int], None]


def unwatched(done: int, total: int) -> None:
    """A ``Progress`` that nobody looks at."""


@dataclass(frozen=True)
class Unreadable:
    """An image that was left out."""

    index: int
    place: str
    reason: str


@dataclass(frozen=True)
class Preparation:
    """What became of the images of a list.

    Args:
        n_listed: how many there were.
        unreadable: those that were left out.
        n_enlarged: how many of the others were smaller than the size asked for.
    """

    n_listed: int
    unreadable: tuple[Unreadable, ...]
    n_enlarged: int

    @property
    def n_images(self) -> int:
        return self.n_listed - len(self.unreadable)

    def remarks(self, size: int) -> list[str]:
        """What whoever reads a result should know of its images, in sentences; mostly nothing."""
        told = []
        if self.unreadable:
            first = self.unreadable[0]
            left_out = f"{len(self.unreadable):,} of {self.n_listed:,} images cannot be read and are left out"
            told.append(f"{left_out}, the first: {first.place} ({first.reason})")
        if self.n_enlarged:
            told.append(f"{self.n_enlarged:,} of {self.n_images:,} images are smaller than {size} pixels and are enlarged")
        return told

    @property
    def document(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def parse(cls, document: dict[str, Any]) -> "Preparation":
        unreadable = tuple(Unreadable(**item) for item in document["unreadable"])
        return cls(document["n_listed"], unreadable, document["n_enlarged"])


def square(picture: UInt8[ndarray, "height width channel"], size: int, *, colour: bool) -> UInt8[ndarray, "out_channel size size"]:
    """One image prepared.

    Raises:
        ValueError: if it is so long and thin that no square of it shows it.
    """
    image = Image.fromarray(picture[..., 0] if picture.shape[2] == 1 else picture).convert("RGB" if colour else "L")
    short, long = sorted(image.size)
    if long > MAX_ELONGATION * short:
        raise ValueError(f"it is {image.width} x {image.height} pixels, more than {MAX_ELONGATION} times as long as wide")
    scale = size / short
    width, height = (max(size, round(edge * scale)) for edge in image.size)
    resized = image.resize((width, height), Image.Resampling.BILINEAR)
    left, top = (width - size) // 2, (height - size) // 2
    pixels = np.asarray(resized.crop((left, top, left + size, top + size)))
    return pixels.transpose(2, 0, 1) if colour else pixels[None]


def write_prepared(images: ImageList, file: Path, *, size: int, colour: bool, skip: bool, progress: Progress = unwatched) -> Preparation:
    """Prepare all images of a list into a uint8 ``.npy`` file, NCHW, one image in memory at a time.

    Args:
        skip: leave unreadable images out; else the first one ends it.
        progress: called after each image.

    Raises:
        UnreadableImageError: naming the first unreadable image, unless they are skipped.
        OSError: if the file cannot be written.
    """
    unreadable, n_enlarged, channels = [], 0, 3 if colour else 1
    with file.open("wb") as out:
        _write_header(out, (len(images), channels, size, size))
        for index in range(len(images)):
            try:
                picture = images.picture(index)
                out.write(square_of(images, index, picture, size=size, colour=colour).tobytes())
            except UnreadableImageError as error:
                if not skip:
                    raise
                unreadable.append(Unreadable(index, error.place, error.reason))
            else:
                n_enlarged += min(picture.shape[:2]) < size
            progress(index + 1, len(images))
        # NumPy pads the header so that the number of rows can change in place.
        _write_header(out, (len(images) - len(unreadable), channels, size, size))
    return Preparation(len(images), tuple(unreadable), n_enlarged)


def square_of(
    images: ImageList, index: int, picture: UInt8[ndarray, "height width channel"], *, size: int, colour: bool
) -> UInt8[ndarray, "out_channel size size"]:
    """One image of a list prepared.

    Raises:
        UnreadableImageError: if it is so long and thin that no square of it shows it.
    """
    try:
        return square(picture, size, colour=colour)
    except ValueError as error:
        raise UnreadableImageError(images.place(index), str(error)) from error


def _write_header(out: BinaryIO, shape: tuple[int, ...]) -> None:
    out.seek(0)
    np.lib.format.write_array_header_1_0(out, {"descr": "|u1", "fortran_order": False, "shape": shape})
