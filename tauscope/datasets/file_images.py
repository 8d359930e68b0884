"""Image files of a folder."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Int, UInt8
from numpy import ndarray

from tauscope.datasets.fingerprint import fingerprint_files
from tauscope.datasets.image_bytes import decode
from tauscope.datasets.image_list import UnreadableImageError


class FileImages:
    """An ``ImageList`` over image files in a given order.

    Args:
        files: one image each.
        root: the folder they lie in, at any depth.
        labels: the class of each, where there are any.
    """

    def __init__(self, files: Sequence[Path], *, root: Path, labels: Sequence[int] | None = None) -> None:
        self._files, self._root, self._labels = files, root, labels

    def __len__(self) -> int:
        return len(self._files)

    def picture(self, index: int) -> UInt8[ndarray, "height width channel"]:
        try:
            return decode(self._files[index].read_bytes()).pixels
        except (OSError, ValueError) as error:
            raise UnreadableImageError(self.place(index), str(error)) from error

    def place(self, index: int) -> str:
        return str(self._files[index])

    def labels(self) -> Int[ndarray, " image"] | None:
        return None if self._labels is None else np.asarray(self._labels, np.int64)

    def fingerprint(self) -> str:
        return fingerprint_files(self._files, root=self._root, kind="files 1")
