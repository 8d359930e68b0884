"""Images in NumPy's own files: one array in .npy, named arrays in .npz."""

import tokenize
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy import ndarray

from tauscope.datasets.file_trees import MEMBER_DAMAGE, member_start, open_archive
from tauscope.datasets.fingerprint import fingerprint_files
from tauscope.datasets.image_list import ImageList
from tauscope.datasets.layout import found_tree
from tauscope.datasets.named_arrays import ArrayBlocks, find_blocks
from tauscope.datasets.own_images import OwnImages
from tauscope.datasets.source import DatasetError

SUFFIXES = (".npy", ".npz")
# NumPy reads its header as Python writes dictionaries.
_DAMAGE = (*MEMBER_DAMAGE, SyntaxError, TypeError, tokenize.TokenError)


class Arrays(OwnImages):
    """NumPy files, mapped instead of read where they are not compressed; pickled objects in them are refused."""

    name = "arrays"
    description = "Your own images in a NumPy file: HW, NHW, NHWC or NCHW, uint8, uint16, or floats in [0, 1] or [-1, 1]"
    layouts = ("a .npy file of one array", "a .npz file with the arrays `images` and, where there are classes, `labels`")

    def read(self, path: Path) -> ImageList:
        """The rows of the array, in their order; train before test where a .npz file has both."""
        suffix = path.suffix.lower()
        if not path.is_file() or suffix not in SUFFIXES:
            raise DatasetError(f"{path} is no .npy or .npz file: {found_tree(path)}", "Name the file itself")
        arrays = {"images": _map_array(path)} if suffix == ".npy" else _named(path)
        fingerprint = fingerprint_files([path], root=path.parent, kind="own arrays 1")
        return ArrayBlocks(find_blocks(arrays, str(path)), words=f"arrays in a {suffix} file", fingerprint=fingerprint)


def _map_array(path: Path) -> ndarray:
    try:
        return np.lib.format.open_memmap(path, mode="r")
    except _DAMAGE as error:
        raise _unusable(path, error) from error


def _named(path: Path) -> Mapping[str, ndarray]:
    with open_archive(path) as archive:
        members = [item for item in archive.infolist() if item.filename.endswith(".npy")]
        try:
            return {item.filename.removesuffix(".npy"): _member(path, archive, item) for item in members}
        except _DAMAGE as error:
            raise _unusable(path, error) from error


def _member(path: Path, archive: zipfile.ZipFile, item: zipfile.ZipInfo) -> ndarray:
    with archive.open(item) as member:
        if item.compress_type != zipfile.ZIP_STORED:
            return np.lib.format.read_array(member, allow_pickle=False)
        shape, fortran, dtype = _header(member)
        start = member_start(path, item) + member.tell()
    if dtype.hasobject:
        raise ValueError("it holds Python objects")
    return np.memmap(path, dtype, "r", start, shape, "F" if fortran else "C")


def _header(member: Any) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = np.lib.format.read_magic(member)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    return read(member)


def _unusable(path: Path, error: Exception) -> DatasetError:
    if "object" in str(error).lower() or "pickle" in str(error).lower():
        return DatasetError(
            f"{path} holds pickled Python objects, which could run code; they are not read",
            "Save one plain array: numpy.save(path, images)",
        )
    return DatasetError(f"{path} cannot be read as NumPy's file: {error}", "Write it again with numpy.save or numpy.savez")
