"""Fashion-MNIST: 70,000 articles of clothing (Xiao, Rasul, Vollgraf 2017, arXiv:1708.07747)."""

from pathlib import Path

from tauscope.datasets.idx_images import IdxImages, find_idx
from tauscope.datasets.image_list import ImageList
from tauscope.datasets.image_tables import parquet_images
from tauscope.datasets.layout import layout_message
from tauscope.datasets.parts import parquet_parts
from tauscope.datasets.source import DatasetError

DEBIAN = Path("/usr/share/datasets/fashion-mnist")
FOLDERS = (".", "FashionMNIST/raw", "raw")  # torchvision keeps them below its root


class FashionMnist:
    """Debian's files, or the user's own copy, named by ``dataset.path``; training images first, then test images."""

    name = "fashion_mnist"
    description = "Articles of clothing, grey, 28x28 pixels, ten classes"
    native_size = "28x28, 1 channel"
    n_images = 70_000
    coloured = False
    labelled = None
    licence = "MIT (Expat)"
    origin = "H. Xiao, K. Rasul, R. Vollgraf: Fashion-MNIST, arXiv:1708.07747; Zalando SE"
    attribution = "Keep the notice of Zalando SE with copies; cite arXiv:1708.07747"
    layouts = (
        "a folder with train-images-idx3-ubyte and t10k-images-idx3-ubyte, and the same of labels-idx1, each packed as .gz or not",
        "torchvision's root with FashionMNIST/raw",
        "a copy from the Hugging Face Hub with train-*.parquet and test-*.parquet",
    )

    def missing(self, path: str | None) -> str:
        """Debian's package holds the files, or a folder must be named; nothing is downloaded."""
        if _found(Path(path) if path else DEBIAN) is not None:
            return ""
        if path is None:
            return "Install Debian's dataset-fashion-mnist (apt-get install dataset-fashion-mnist), or set dataset.path to your copy"
        return layout_message(Path(path), self.layouts)

    def open(self, path: str | None) -> ImageList:
        """All images: the 60,000 of the training files, then the 10,000 of the test files."""
        found = _found(Path(path) if path else DEBIAN)
        if found is None:
            raise DatasetError("Fashion-MNIST is not there", self.missing(path))
        return found


def _found(root: Path) -> ImageList | None:
    for folder in FOLDERS:
        pairs = _pairs(root / folder)
        if pairs:
            return IdxImages(pairs)
    files = parquet_parts(root)
    return parquet_images(files) if files else None


def _pairs(folder: Path) -> list[tuple[Path, Path | None]]:
    found = [(find_idx(folder, f"{part}-images-idx3-ubyte"), find_idx(folder, f"{part}-labels-idx1-ubyte")) for part in ("train", "t10k")]
    return [(images, labels) for images, labels in found if images] if all(images for images, _ in found) else []
