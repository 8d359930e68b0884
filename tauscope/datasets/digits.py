"""Handwritten digits, 8x8: 1,797 images that scikit-learn ships (Alpaydin and Kaynak 1998, UCI repository)."""

import gzip
from functools import cache
from pathlib import Path

import numpy as np
from jaxtyping import Int, UInt8
from numpy import ndarray

from tauscope.datasets.array_images import ArrayImages
from tauscope.datasets.fingerprint import fingerprint_files
from tauscope.datasets.packaged import packaged_file
from tauscope.datasets.source import DatasetError

PERMUTATION_SEED = 0


class Digits:
    """The embedded data set: nothing to fetch."""

    name = "digits"
    description = "Handwritten digits, grey, 8x8 pixels"
    native_size = "8x8, 1 channel"
    n_images = 1797
    coloured = False
    labelled = True
    licence = "CC BY 4.0"
    layouts: tuple[str, ...] = ()
    attribution = "Cite the source and name the licence"
    origin = "E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, doi:10.24432/C50P49"

    def missing(self, path: str | None) -> str:
        """The file comes with scikit-learn."""
        return "" if _file() else "Install scikit-learn, which ships the file: pip install scikit-learn"

    def open(self, path: str | None) -> ArrayImages:
        """All images, in one fixed random order, for the file is sorted by writer."""
        file = _file()
        if file is None:
            raise DatasetError("the digits file is not installed", self.missing(None))
        pixels, labels = _read(file)
        key = fingerprint_files([file], root=file.parent, kind="digits 1")
        return ArrayImages(pixels, origin=file.name, fingerprint=key, labels=labels)


def _file() -> Path | None:
    # Importing scikit-learn takes seconds, and the data are one csv file.
    return packaged_file("sklearn", "datasets/data/digits.csv.gz")


@cache
def _read(file: Path) -> tuple[UInt8[ndarray, "image 1 8 8"], Int[ndarray, " image"]]:
    with gzip.open(file, "rt") as lines:
        table = np.loadtxt(lines, delimiter=",", dtype=np.float64)
    table = table[np.random.default_rng(PERMUTATION_SEED).permutation(len(table))]
    grey = table[:, :64]  # 0 to 16; the last column is the class
    return np.rint(grey * (255 / 16)).astype(np.uint8).reshape(-1, 1, 8, 8), table[:, 64].astype(np.int64)
