"""CelebA faces in the order of arXiv:2505.17638: the files sorted naturally."""

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
        return "" if _files(Path(path)) else layout_message(Path(path), self.layouts)

    def open(self, path: str | None) -> FileImages:
        """All images in natural order: the official test images are the last 19,962."""
        files = _files(Path(path)) if path else []
        if path is None or not files:
            raise DatasetError("the CelebA images are not there", self.missing(path))
        return FileImages(files, root=files[0].parent)


def _files(root: Path) -> list[Path]:
    for folder in FOLDERS:
        files = [entry for entry in (root / folder).glob("*.jpg") if entry.is_file()]
        if files:
            return natural_order(files)
    return []
