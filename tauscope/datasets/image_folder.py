"""Image files in a folder or a zip archive: flat, or one folder a class as torchvision and Hugging Face lay them out."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from jaxtyping import Int, UInt8
from numpy import ndarray

from tauscope.datasets.file_trees import FileTree, FolderTree, ZipTree
from tauscope.datasets.image_bytes import SUFFIXES, Decoded, decode
from tauscope.datasets.image_list import ImageList, UnreadableImageError
from tauscope.datasets.layout import found_tree
from tauscope.datasets.natural_order import natural_key
from tauscope.datasets.own_images import OwnImages
from tauscope.datasets.source import DatasetError

SPLITS = dict.fromkeys(("train", "training"), 0) | dict.fromkeys(("val", "valid", "validation"), 1) | dict.fromkeys(("test", "testing"), 2)
STRANGERS = {  # What people have instead, and what to do with it.
    ".dcm": "DICOM files are not read: save the scans as 16-bit PNG, or as one .npy array of uint8 or uint16",
    ".nii": "NIfTI files are not read: save the slices as 16-bit PNG, or as one .npy array of uint8 or uint16",
    ".heic": "HEIC files are not read: save them as JPEG or PNG",
    ".zip": "Name one zip archive, or unpack them",
    ".tar": "Unpack the tar archive and name the folder",
    ".tgz": "Unpack the tar archive and name the folder",
    **dict.fromkeys((".gz", ".bz2", ".xz", ".rar", ".7z"), "Unpack it and name the folder"),
    **dict.fromkeys((".mat", ".h5", ".hdf5", ".pkl", ".csv"), "Save the pixels as one .npy array: NHW, NHWC or NCHW"),
    ".npy": "Name the .npy file itself",
    ".npz": "Name the .npz file itself",
    ".pt": "Name the .pt file itself",
    ".parquet": "Set dataset.name to huggingface; unpack an archive first",
    ".arrow": "Set dataset.name to huggingface; unpack an archive first",
}
# What the known data sets are told by, where their own source is meant.
_KNOWN = {"data_batch_1": "cifar10", "train-images-idx3-ubyte": "fashion_mnist", "train-images-idx3-ubyte.gz": "fashion_mnist"}


class ImageFolder(OwnImages):
    """Image files; the folder's name is the class."""

    name = "image_folder"
    description = "Your own image files: a folder or a zip archive, flat or with one folder a class"
    layouts = ("a folder of image files", "a folder with one folder of image files for each class", "a zip archive of either")

    def read(self, path: Path) -> ImageList:
        """Every image file below the path, natural order of their names; the classes in natural order count from 0."""
        tree = open_tree(path)
        return TreeImages(tree, arrange([name for name in tree.names if is_image(name)], path, others=tree.names))


@dataclass(frozen=True)
class Arrangement:
    """Which files are the images, in order, and the class of each where there are classes."""

    names: tuple[str, ...]
    classes: tuple[str, ...]
    labels: Int[ndarray, " image"] | None
    words: str


class TreeImages:
    """An ``ImageList`` of files."""

    def __init__(self, tree: FileTree, arrangement: Arrangement) -> None:
        self._tree = tree
        self._arrangement = arrangement
        self.words = arrangement.words
        self.classes = arrangement.classes

    def __len__(self) -> int:
        return len(self._arrangement.names)

    def picture(self, index: int) -> UInt8[ndarray, "height width channel"]:
        return self.decoded(index).pixels

    def decoded(self, index: int) -> Decoded:
        """The picture with its stored mode and what was done to it; raises ``UnreadableImageError``."""
        try:
            return decode(self._tree.read(self._arrangement.names[index]))
        except ValueError as error:
            raise UnreadableImageError(self.place(index), str(error)) from error

    def place(self, index: int) -> str:
        return self._tree.place(self._arrangement.names[index])

    def labels(self) -> Int[ndarray, " image"] | None:
        return self._arrangement.labels

    def fingerprint(self) -> str:
        return self._tree.fingerprint(self._arrangement.names)


def open_tree(path: Path) -> FileTree:
    """A folder or a zip archive.

    Raises:
        DatasetError: if it is neither, or unsafe.
    """
    if path.is_dir():
        return FolderTree(path)
    if path.suffix.lower() == ".zip":
        return ZipTree(path)
    raise DatasetError(f"{path} is neither a folder nor a zip archive: {found_tree(path)}", "Name the folder that holds the images")


def is_image(name: str) -> bool:
    """Whether a file's name ends as those of images do; what it holds is seen when it is read."""
    return name[name.rfind(".") :].lower() in SUFFIXES


def arrange(images: Sequence[str], path: Path, *, others: Sequence[str]) -> Arrangement:
    """Find flat or class folders in the files' names.

    Raises:
        DatasetError: if there are no images, or some stand beside class folders.
    """
    if not images:
        raise DatasetError(*_no_images(path, others))
    inside = _below_single_folders([tuple(name.split("/")) for name in images])
    in_splits = all(len(parts) > 1 and parts[0].lower() in SPLITS for parts in inside)
    order = sorted(range(len(images)), key=lambda row: SPLITS[inside[row][0].lower()]) if in_splits else range(len(images))
    tails = [inside[row][1:] if in_splits else inside[row] for row in order]
    names = tuple(images[row] for row in order)
    _refuse_mixture(tails, names, path)
    if len(tails[0]) == 1:
        return Arrangement(names, (), None, "image files" + (" in folders of splits, read as one list" if in_splits else ""))
    return label(names, [parts[0] for parts in tails], "image files in class folders" + (" below folders of splits" if in_splits else ""))


def label(names: tuple[str, ...], of_each: Sequence[str], words: str) -> Arrangement:
    """Count the classes of the images from 0, in natural order of their names."""
    classes, labels = number_classes(of_each)
    return Arrangement(names, classes, labels, words)


def number_classes(of_each: Sequence[str]) -> tuple[tuple[str, ...], Int[ndarray, " image"]]:
    """The class names in natural order, and the number of each image's."""
    classes = tuple(sorted(set(of_each), key=natural_key))
    numbers = {name: number for number, name in enumerate(classes)}
    return classes, np.array([numbers[name] for name in of_each], np.int64)


def _below_single_folders(paths: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Drop the top folder as long as all share it, as in an archive of a folder or in Kaggle's nested copies."""
    while all(len(parts) > 1 and parts[0] == paths[0][0] for parts in paths):
        paths = [parts[1:] for parts in paths]
    return paths


def _refuse_mixture(tails: Iterable[tuple[str, ...]], names: Sequence[str], path: Path) -> None:
    flat = [name for name, parts in zip(names, tails, strict=True) if len(parts) == 1]
    if flat and len(flat) < len(names):
        raise DatasetError(
            f"{path} holds {len(flat):,} images beside folders of {len(names) - len(flat):,} others, the first {flat[0]}: "
            "are the folders classes or not?",
            "Put every image into a class folder, or all of them into one folder",
        )


def _no_images(path: Path, names: Sequence[str]) -> tuple[str, str]:
    suffixes = Counter(PurePosixPath(name).suffix.lower() for name in names)
    stranger = next((suffix for suffix, _ in suffixes.most_common() if suffix in STRANGERS), None)
    known = next((_KNOWN[name] for name in (PurePosixPath(name).name for name in names) if name in _KNOWN), None)
    if known:
        return (
            f"{path} holds no image file but {names[0]}",
            f"If these are the files of {known}, set dataset.name to {known}",
        )
    wanted = f"Files that end with {', '.join(sorted(SUFFIXES))} are read"
    seen = f"found {', '.join(names[:8])}{', ...' if len(names) > 8 else ''}" if names else f"found {found_tree(path)}"
    return f"{path} holds no image file: {seen}", STRANGERS[stranger] if stranger else wanted
