"""CIFAR-10: 60,000 photographs of ten things (Krizhevsky 2009), in the author's Python batches or from the Hub."""

from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Int, UInt8
from numpy import ndarray

from tauscope.datasets.fingerprint import fingerprint_files
from tauscope.datasets.image_list import ImageList
from tauscope.datasets.image_tables import parquet_images
from tauscope.datasets.layout import layout_message
from tauscope.datasets.parts import parquet_parts
from tauscope.datasets.plain_pickle import PlainPickleError, load_plain_pickle
from tauscope.datasets.source import DatasetError

BATCHES = (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch")
FOLDERS = (".", "cifar-10-batches-py")
VALUES = 3 * 32 * 32


class Cifar10:
    """The user's own copy, named by ``dataset.path``; training images first, then test images."""

    name = "cifar10"
    description = "Photographs of ten things, 32x32 pixels, in colour or made grey"
    native_size = "32x32, 3 channels"
    n_images = 60_000
    coloured = True
    labelled = True
    licence = "None is stated by the authors"
    origin = "A. Krizhevsky: Learning Multiple Layers of Features from Tiny Images, 2009"
    attribution = "Cite the source"
    layouts = (
        "a folder with data_batch_1 to data_batch_5 and test_batch of the Python version",
        "a folder with cifar-10-batches-py",
        "a copy from the Hugging Face Hub with train-*.parquet and test-*.parquet",
    )

    def missing(self, path: str | None) -> str:
        """A folder must be named; nothing is downloaded."""
        if path is None:
            return "Get CIFAR-10's Python version from its author and set dataset.path to the folder cifar-10-batches-py"
        return "" if _batches(Path(path)) or parquet_parts(Path(path)) else layout_message(Path(path), self.layouts)

    def open(self, path: str | None) -> ImageList:
        """All images: the 50,000 of the training batches, then the 10,000 of the test batch."""
        lack = self.missing(path)
        if path is None or lack:
            raise DatasetError("CIFAR-10 is not there", lack)
        batches = _batches(Path(path))
        return _Batches(batches) if batches else parquet_images(parquet_parts(Path(path)))


class _Batches:
    """An ``ImageList`` over the Python batches, which are read at the first question."""

    def __init__(self, files: list[Path]) -> None:
        self._files = files

    def __len__(self) -> int:
        return len(self._content[1])

    def picture(self, index: int) -> UInt8[ndarray, "32 32 3"]:
        return self._content[0][index].reshape(3, 32, 32).transpose(1, 2, 0)

    def place(self, index: int) -> str:
        return f"image {index} of {self._files[0].parent}"

    def labels(self) -> Int[ndarray, " image"]:
        return self._content[1]

    def fingerprint(self) -> str:
        return fingerprint_files(self._files, root=self._files[0].parent, kind="cifar10 1")

    @cached_property
    def _content(self) -> tuple[UInt8[ndarray, "image value"], Int[ndarray, " image"]]:
        parts = [_read(file) for file in self._files]
        return np.concatenate([data for data, _ in parts]), np.concatenate([labels for _, labels in parts])


def _batches(root: Path) -> list[Path]:
    for folder in FOLDERS:
        files = [root / folder / name for name in BATCHES]
        if all(file.is_file() for file in files):
            return files
    return []


def _read(file: Path) -> tuple[UInt8[ndarray, "image value"], Int[ndarray, " image"]]:
    try:
        content = load_plain_pickle(file)
        data, labels = content[b"data"], np.asarray(content[b"labels"], np.int64)
        if data.dtype != np.uint8 or data.shape != (len(labels), VALUES):
            raise ValueError(f"its data are {data.dtype} of shape {data.shape} for {len(labels)} labels")
    except (PlainPickleError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise DatasetError(f"{file} is no batch of CIFAR-10: {error}", "Replace it by an intact copy from the author") from error
    return data, labels
