"""Images and labels in the idx files of MNIST and its kin, packed by gzip or not: big-endian, a header, then bytes."""

import gzip
import struct
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import IO, cast

import numpy as np
from jaxtyping import Int, UInt8
from numpy import ndarray

from tauscope.datasets.fingerprint import fingerprint_files
from tauscope.datasets.source import DatasetError

# Two zero bytes, the type (8: unsigned bytes) and the number of axes.
IMAGES_MAGIC, LABELS_MAGIC = b"\0\0\x08\x03", b"\0\0\x08\x01"


class IdxImages:
    """An ``ImageList`` over pairs of an image file and a label file, one after the other.

    Raises:
        DatasetError: if a header is none of an idx file; later, if a file is cut off.
    """

    def __init__(self, pairs: Sequence[tuple[Path, Path | None]]) -> None:
        self._pairs = pairs
        self._shapes = [_shape(images, IMAGES_MAGIC) for images, _ in pairs]

    def __len__(self) -> int:
        return sum(shape[0] for shape in self._shapes)

    def picture(self, index: int) -> UInt8[ndarray, "height width 1"]:
        part, row = self._locate(index)
        return self._arrays[part][row, ..., None]

    def place(self, index: int) -> str:
        part, row = self._locate(index)
        return f"image {row} of {self._pairs[part][0]}"

    def labels(self) -> Int[ndarray, " image"] | None:
        files = [labels for _, labels in self._pairs if labels is not None]
        if len(files) < len(self._pairs):
            return None
        found = [read_idx(file, LABELS_MAGIC) for file in files]
        for file, labels, shape in zip(files, found, self._shapes, strict=True):
            if len(labels) != shape[0]:
                raise DatasetError(f"{file} holds {len(labels):,} labels for {shape[0]:,} images", "Put the files of one set together")
        return np.concatenate(found).astype(np.int64)

    def fingerprint(self) -> str:
        files = [file for pair in self._pairs for file in pair if file is not None]
        return fingerprint_files(files, root=files[0].parent, kind="idx 1")

    def _locate(self, index: int) -> tuple[int, int]:
        for part, shape in enumerate(self._shapes):
            if index < shape[0]:
                return part, index
            index -= shape[0]
        raise IndexError(index)

    @cached_property
    def _arrays(self) -> list[UInt8[ndarray, "image height width"]]:
        return [read_idx(images, IMAGES_MAGIC) for images, _ in self._pairs]


def find_idx(folder: Path, stem: str) -> Path | None:
    """``train-images-idx3-ubyte`` in any of its spellings: with a dot, as some unpackers leave it, packed or not."""
    spellings = (stem, stem.replace("-idx", ".idx"))
    files = (folder / f"{name}{packed}" for name in spellings for packed in ("", ".gz"))
    return next((file for file in files if file.is_file()), None)


def read_idx(file: Path, magic: bytes) -> UInt8[ndarray, "..."]:
    """The array of one file.

    Raises:
        DatasetError: if it is none, or is cut off.
    """
    shape = _shape(file, magic)
    try:
        with _opened(file) as content:
            values = np.frombuffer(content.read(), np.uint8)[4 + 4 * len(shape) :]
    except (OSError, EOFError) as error:
        raise DatasetError(f"{file} is damaged: {error}", "Replace it by an intact copy") from error
    if len(values) != np.prod(shape):
        raise DatasetError(
            f"{file} holds {len(values):,} bytes where its header announces {np.prod(shape):,}", "Replace it by an intact copy"
        )
    return values.reshape(shape)


def _shape(file: Path, magic: bytes) -> tuple[int, ...]:
    n_axes = magic[3]
    try:
        with _opened(file) as content:
            header = content.read(4 + 4 * n_axes)
    except (OSError, EOFError) as error:
        raise DatasetError(f"{file} is damaged: {error}", "Replace it by an intact copy") from error
    if len(header) < 4 + 4 * n_axes or header[:4] != magic:
        what = "images" if magic == IMAGES_MAGIC else "labels"
        raise DatasetError(f"{file} is no idx file of {what}: it begins with {header[:4].hex()}, not {magic.hex()}", "Name the right file")
    return struct.unpack(f">{n_axes}i", header[4:])


def _opened(file: Path) -> IO[bytes]:
    return cast(IO[bytes], gzip.open(file)) if file.suffix == ".gz" else file.open("rb")
