"""Pickles that hold nothing but numbers, texts, lists, dicts and byte arrays; loading runs no code of theirs.

A pickle may name any function to be called on loading. Here it may name the two or three that rebuild a NumPy array of bytes,
and even these get stand-ins that make an array and nothing else.
"""

import pickle
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np


class PlainPickleError(Exception):
    """The file is damaged, or asks for something that such a file has no need of."""


def load_plain_pickle(file: Path) -> Any:
    """Load a pickle, Python 2's texts as bytes.

    Raises:
        PlainPickleError: naming what it asks for, or what is wrong with it.
        OSError: if the file cannot be read.
    """
    try:
        with file.open("rb") as content:
            return _Plain(content, encoding="bytes").load()
    except (pickle.UnpicklingError, EOFError, ValueError, TypeError, KeyError, IndexError, AttributeError, MemoryError) as error:
        raise PlainPickleError(str(error) or "it is cut off") from error


class _Array:
    """Stands for ``numpy.ndarray`` and for ``_reconstruct``; it has no attribute that a pickle could set."""

    __slots__ = ()

    def __call__(self, *arguments: Any) -> Any:
        if len(arguments) != 3 or not isinstance(arguments[0], _Array) or arguments[1] != (0,):
            raise pickle.UnpicklingError("an array is not rebuilt as NumPy writes it")
        return np.empty(0, np.uint8)  # Its state, which follows, has shape and bytes.


class _Bytes:
    """Stands for ``numpy.dtype``, of which only bytes are allowed."""

    __slots__ = ()

    def __call__(self, name: Any, *_: Any) -> Any:
        if name not in ("u1", b"u1"):
            raise pickle.UnpicklingError(f"an array of type {name!r} is not one of bytes")
        return np.dtype("u1", copy=True)


class _Encode:
    """Stands for ``_codecs.encode``, by which Python 3 writes bytes in old protocols."""

    __slots__ = ()

    def __call__(self, text: Any, encoding: Any) -> bytes:
        if not isinstance(text, str) or encoding != "latin1":
            raise pickle.UnpicklingError("bytes are not written as Python writes them")
        return text.encode("latin1")


_ALLOWED: dict[tuple[str, str], Any] = {
    ("numpy.core.multiarray", "_reconstruct"): _Array(),
    ("numpy._core.multiarray", "_reconstruct"): _Array(),
    ("numpy", "ndarray"): _Array(),
    ("numpy", "dtype"): _Bytes(),
    ("_codecs", "encode"): _Encode(),
}


class _Plain(pickle.Unpickler):
    def __init__(self, content: BinaryIO, *, encoding: str) -> None:
        super().__init__(content, encoding=encoding)

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which images have no need of")
        return _ALLOWED[module, name]
