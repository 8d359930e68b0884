"""CelebA faces in the order of arXiv:2505.17638: the files sorted naturally."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from tauscope.datasets.file_images import FileImages
from tauscope.datasets.layout import layout_message
from tauscope.datasets.natural_order import natural_order
from tauscope.datasets.source import DatasetError

FOLDERS = ("celeba/img_align_celeba", "img_align_celeba/img_align_celeba", "img_align_celeba", ".")


class CelebA:
    """The user's own copy, named by ``dataset.path``."""

    name = "celeba"
    description = "Celebrity faces, cut square; grey as in the paper, or in colour"
    native_size = "178x218, 3 channels"
    n_images = 202_599
    coloured = True
    labelled = False
    licence = "Non-commercial research only; see the CelebA agreement"
    origin = "Z. Liu, P. Luo, X. Wang, X. Tang: Deep Learning Face Attributes in the Wild, ICCV 2015, arXiv:1411.7766"
    attribution = "Cite the source; the images may not be passed on"
    layouts = (
        "torchvision's root with celeba/img_align_celeba/*.jpg",
        "Kaggle's copy with img_align_celeba/img_align_celeba/*.jpg",
        "a folder with img_align_celeba/*.jpg",
        "a folder of *.jpg",
    )

    def missing(self, path: str | None) -> str:
        """A folder of jpg files must be named; it is never downloaded."""
        if path is None:
            return "Get CelebA's aligned images from its authors and set dataset.path to the folder that holds img_align_celeba"
        return "" if _folder(Path(path)) else layout_message(Path(path), self.layouts)

    def open(self, path: str | None) -> FileImages:
        """All images in natural order: the official test images are the last 19,962."""
        folder = _folder(Path(path)) if path else None
        if folder is None:
            raise DatasetError("the CelebA images are not there", self.missing(path))
        return FileImages(natural_order(_pictures(folder)), root=folder)


def _folder(root: Path) -> Path | None:
    return next((root / folder for folder in FOLDERS if any(_pictures(root / folder))), None)


def _pictures(folder: Path) -> Iterator[Path]:
    with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
        yield from (folder / entry.name for entry in entries if entry.name.endswith(".jpg") and entry.is_file())
