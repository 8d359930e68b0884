"""Handwritten digits, 8x8: 1,797 images that scikit-learn ships (Alpaydin and Kaynak 1998, UCI repository)."""

import gzip
import importlib.util
from functools import cache
from pathlib import Path

import numpy as np
from jaxtyping import Int64, UInt8
from numpy import ndarray

from tauscope.datasets.source import DatasetError, Split, slices
from tauscope.specs.dataset import DatasetSpec

PERMUTATION_SEED = 0


class Digits:
    """The embedded data set: nothing to fetch."""

    name = "digits"
    description = "Handwritten digits, grey, 8x8 pixels"
    native_size = "8x8, 1 channel"
    n_images = 1797
    licence = "CC BY 4.0"
    origin = "E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, doi:10.24432/C50P49"

    def missing(self, path: str | None) -> str:
        """The file comes with scikit-learn."""
        return "" if _file() else "Install scikit-learn, which ships the file: pip install scikit-learn"

    def count(self, path: str | None) -> int:
        """All of the file."""
        return self.n_images

    def load(self, spec: DatasetSpec) -> Split:
        """Load the split; the images stand in one fixed random order, for the file is sorted by writer."""
        if spec.size != 8:
            raise DatasetError(f"digits are 8x8 images and dataset.size is {spec.size}", "Set dataset.size to 8")
        images, labels = _images()
        train, held_out = slices(len(images), spec)
        return Split(images[train], images[held_out], labels[train], labels[held_out])


def _file() -> Path | None:
    # The package is located, not imported: importing scikit-learn takes seconds and the data are one csv file.
    package = importlib.util.find_spec("sklearn")
    if package is None or package.origin is None:
        return None
    path = Path(package.origin).parent / "datasets" / "data" / "digits.csv.gz"
    return path if path.is_file() else None


@cache
def _images() -> tuple[UInt8[ndarray, "image 1 8 8"], Int64[ndarray, " image"]]:
    path = _file()
    if path is None:
        raise DatasetError("the digits file is not installed", Digits().missing(None))
    with gzip.open(path, "rt") as lines:
        table = np.loadtxt(lines, delimiter=",", dtype=np.float64)
    grey = table[:, :64]  # 0 to 16; the last column is the label
    order = np.random.default_rng(PERMUTATION_SEED).permutation(len(grey))
    return np.rint(grey[order] * (255 / 16)).astype(np.uint8).reshape(-1, 1, 8, 8), table[order, 64].astype(np.int64)
