"""Images in a file of torch.save, read without PyTorch and without running anything that the file says.

The format is a zip archive of ``<name>/data.pkl``, which describes the tensors, and ``<name>/data/<key>``, their bytes. Whatever
``torch.load(weights_only=True)`` would refuse is refused here too: the description may name tensors, dictionaries, lists and numbers.
"""

import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from io import BytesIO
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

SUFFIXES = (".pt", ".pth")
_TYPES = {
    "ByteStorage": np.uint8,
    "BoolStorage": np.bool_,
    "CharStorage": np.int8,
    "ShortStorage": np.int16,
    "IntStorage": np.int32,
    "LongStorage": np.int64,
    "HalfStorage": np.float16,
    "FloatStorage": np.float32,
    "DoubleStorage": np.float64,
    "UInt16Storage": np.uint16,
}
_MAX_DESCRIPTION = 2**20


class SavedTensor(OwnImages):
    """A tensor, a dictionary with images and labels, or a pair of both."""

    name = "tensor"
    description = "Your own images in a file of torch.save: a tensor, or a dictionary with `images` and `labels`"
    layouts = ("a .pt file of one tensor", "a .pt file of a dictionary with `images` and `labels`, or of the pair of both")

    def read(self, path: Path) -> ImageList:
        """The rows of the tensor, in their order."""
        if not path.is_file() or path.suffix.lower() not in SUFFIXES:
            raise DatasetError(f"{path} is no .pt file: {found_tree(path)}", "Name the file itself")
        fingerprint = fingerprint_files([path], root=path.parent, kind="own tensor 1")
        return ArrayBlocks(find_blocks(_named(path), str(path)), words="tensors in a .pt file", fingerprint=fingerprint)


def _named(path: Path) -> Mapping[str, ndarray]:
    saved = _load(path)
    if isinstance(saved, ndarray):
        return {"images": saved}
    if isinstance(saved, (tuple, list)) and len(saved) == 2 and all(isinstance(item, ndarray) for item in saved):
        return {"images": saved[0], "labels": saved[1]}
    if isinstance(saved, dict):
        return {str(name): item for name, item in saved.items() if isinstance(item, ndarray)}
    raise DatasetError(
        f"{path} holds no tensor but one {type(saved).__name__}", "Save a tensor, or a dictionary with `images` and `labels`"
    )


def _load(path: Path) -> Any:
    with path.open("rb") as file:
        is_zip = file.read(2) == b"PK"
    if not is_zip:
        raise DatasetError(
            f"{path} is not a whole file of today's torch.save", "Load it where it was made and save it again: torch.save(images, path)"
        )
    with open_archive(path) as archive:
        try:
            return _Description(archive, path).load()
        except pickle.UnpicklingError as error:
            raise DatasetError(f"{path} {error}", "Save plain tensors: torch.save({'images': images, 'labels': labels}, path)") from error
        except (*MEMBER_DAMAGE, TypeError, AttributeError, IndexError, StopIteration, OverflowError, MemoryError) as error:
            raise DatasetError(f"{path} is damaged: {error}", "Save it again with torch.save") from error


class _Description(pickle._Unpickler):
    """Reads data.pkl; of all that a pickle can call, it knows the making of a tensor and of an ordered dictionary.

    Python's own unpickler, not the one in C, which makes room for as many objects as a few bytes may claim.
    """

    def __init__(self, archive: zipfile.ZipFile, path: Path) -> None:
        self._archive = archive
        self._path = path
        member = next(item for item in archive.infolist() if item.filename.endswith("data.pkl"))
        if member.file_size > _MAX_DESCRIPTION:
            raise ValueError(f"the description of its tensors has {member.file_size:,} bytes")
        self._folder = member.filename.removesuffix("data.pkl")
        super().__init__(BytesIO(archive.read(member)))

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _Rebuild()
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if module == "torch" and name in _TYPES:
            return name
        if module == "torch":
            raise pickle.UnpicklingError(f"holds a {name}, which NumPy has no type for")
        raise pickle.UnpicklingError(f"holds a {module}.{name}, which could run code; it is not read")

    def persistent_load(self, pid: Any) -> ndarray:
        kind, name, key, _, n_elements = pid
        if kind != "storage" or name not in _TYPES:
            raise pickle.UnpicklingError("holds something that is no tensor")
        dtype = np.dtype(_TYPES[name])
        member = self._archive.getinfo(f"{self._folder}data/{key}")
        if n_elements * dtype.itemsize != member.file_size:
            raise ValueError(f"{n_elements:,} numbers were to come and {member.file_size:,} bytes are there")
        if member.compress_type != zipfile.ZIP_STORED or not n_elements:
            return np.frombuffer(self._archive.read(member), dtype)
        return np.memmap(self._path, dtype, "r", member_start(self._path, member), (n_elements,))


class _Rebuild:
    """Stands for ``torch._utils._rebuild_tensor_v2``; it has no attribute that a pickle could set."""

    __slots__ = ()

    def __call__(self, storage: ndarray, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: Any) -> ndarray:
        return _view(storage, offset, shape, strides)


def _view(storage: ndarray, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> ndarray:
    """The tensor as a view of its storage, all of which must be there."""
    last = offset + sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True))
    if min((offset, *shape, *strides), default=0) < 0 or (0 not in shape and last >= len(storage)):
        raise ValueError("a tensor reaches beyond its storage")
    return np.lib.stride_tricks.as_strided(storage[offset:], shape, [stride * storage.itemsize for stride in strides], writeable=False)
