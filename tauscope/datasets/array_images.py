"""Images that are one array already, in memory or mapped from a file."""

from jaxtyping import Int, UInt8
from numpy import ndarray


class ArrayImages:
    """An ``ImageList`` over one array.

    Args:
        pixels: all images, uint8 in [0, 255], NCHW with one channel or three.
        origin: what the rows are rows of, e.g. a file's name.
        fingerprint: a digest that changes when the array may have changed; see ``fingerprint.py``.
        labels: the class of each image, where there are any.
    """

    def __init__(
        self,
        pixels: UInt8[ndarray, "image channel height width"],
        *,
        origin: str,
        fingerprint: str,
        labels: Int[ndarray, " image"] | None = None,
    ) -> None:
        self.pixels = pixels
        self._origin = origin
        self._fingerprint = fingerprint
        self._labels = labels

    def __len__(self) -> int:
        return len(self.pixels)

    def picture(self, index: int) -> UInt8[ndarray, "height width channel"]:
        return self.pixels[index].transpose(1, 2, 0)

    def place(self, index: int) -> str:
        return f"image {index} of {self._origin}"

    def labels(self) -> Int[ndarray, " image"] | None:
        return self._labels

    def fingerprint(self) -> str:
        return self._fingerprint
