"""What a data set opens into: raw images in a fixed order, none of them decoded until it is asked for."""

from typing import Protocol

from jaxtyping import Int, UInt8
from numpy import ndarray

from tauscope.datasets.layout import printable


class UnreadableImageError(Exception):
    """One image of a list cannot be read: where it stands, and why."""

    def __init__(self, place: str, reason: str) -> None:
        self.place = printable(place)
        self.reason = printable(reason)
        super().__init__(f"{self.place}: {self.reason}")


class ImageList(Protocol):
    """The raw images of a source in a fixed order that never depends on the machine; nothing is decoded until asked for."""

    def __len__(self) -> int: ...

    def picture(self, index: int) -> UInt8[ndarray, "height width channel"]:
        """The image as it is stored, with one channel (grey) or three (red, green, blue).

        Raises:
            UnreadableImageError: with ``place(index)`` and the reason.
        """
        ...

    def place(self, index: int) -> str:
        """What a person finds the image by: a path, or "row 17 of train-0001.parquet"."""
        ...

    def labels(self) -> Int[ndarray, " image"] | None:
        """The class of each image as int64, or ``None`` where there are none."""
        ...

    def fingerprint(self) -> str:
        """A digest of names, sizes and change times, found without reading an image: the key of the cache."""
        ...
