"""CelebA faces in the preparation of arXiv:2505.17638: natural order, short edge resized, centre crop, grey."""

import re
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray
from PIL import Image, UnidentifiedImageError

from tauscope.datasets.source import DatasetError, Split, slices
from tauscope.specs.dataset import DatasetSpec

LAYOUTS = ("celeba/img_align_celeba", "img_align_celeba/img_align_celeba", "img_align_celeba", ".")


class CelebA:
    """The user's own copy, named by ``dataset.path``."""

    name = "celeba"
    description = "Celebrity faces, made grey and square"
    native_size = "178x218, resized"
    n_images = 202_599
    licence = "Non-commercial research only; see the CelebA agreement"
    origin = "Liu et al. 2015, Deep Learning Face Attributes in the Wild"

    def missing(self, path: str | None) -> str:
        """A folder of jpg files must be named; it is never downloaded."""
        ask = "Get CelebA's aligned images from its authors and set dataset.path to the folder that holds img_align_celeba"
        if path is None:
            return ask
        return "" if _files(Path(path)) else f"No jpg files under {path}. {ask}"

    def count(self, path: str | None) -> int:
        """The jpg files of the folder."""
        return len(_files(Path(path))) if path else 0

    def load(self, spec: DatasetSpec) -> Split:
        """Load the split from ``spec.path``."""
        lack = self.missing(spec.path)
        if lack or spec.path is None:
            raise DatasetError("the CelebA images are not there", lack)
        files = _files(Path(spec.path))
        train, held_out = slices(len(files), spec)
        return Split(_prepare(files[train], spec.size), _prepare(files[held_out], spec.size))


def _files(root: Path) -> list[Path]:
    for layout in LAYOUTS:
        files = [entry for entry in (root / layout).glob("*.jpg") if entry.is_file()]
        if files:
            return sorted(files, key=lambda file: [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", file.name)])
    return []


def _prepare(files: list[Path], size: int) -> UInt8[ndarray, "image 1 height width"]:
    images = np.empty((len(files), 1, size, size), np.uint8)
    for row, file in enumerate(files):
        images[row, 0] = _grey_square(file, size)
    return images


def _grey_square(file: Path, size: int) -> UInt8[ndarray, "height width"]:
    try:
        with Image.open(file) as image:
            grey = image.convert("L")
    except (UnidentifiedImageError, OSError) as error:
        raise DatasetError(f"{file} cannot be read as an image", "Remove the file or replace it by an intact copy") from error
    scale = size / min(grey.size)
    width, height = (max(size, round(edge * scale)) for edge in grey.size)
    resized = grey.resize((width, height), Image.Resampling.BILINEAR)
    left, top = (width - size) // 2, (height - size) // 2
    return np.asarray(resized.crop((left, top, left + size, top + size)))
