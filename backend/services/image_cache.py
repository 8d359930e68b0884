"""Decoded images of artifacts, kept for the next request."""

import io
from collections import OrderedDict
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.storage.artifacts import ArtifactStore

Pixels = NDArray[np.uint8]
_BUDGET = 128 * 1024 * 1024


class ImageCache:
    """Images as bytes, NCHW, by the hash of the file they came from; the least recently used go first."""

    def __init__(self, artifacts: ArtifactStore, budget: int = _BUDGET) -> None:
        self._artifacts = artifacts
        self._budget = budget
        self._images: OrderedDict[str, Pixels] = OrderedDict()
        self._lock = Lock()

    def load(self, sha256: str, array: str) -> Pixels:
        """The array of that name in the npz file; it holds fractions of white."""
        with self._lock:
            if sha256 in self._images:
                self._images.move_to_end(sha256)
                return self._images[sha256]
        images = _bytes(read_arrays(self._artifacts, sha256)[array])
        with self._lock:
            self._images[sha256] = images
            while sum(item.nbytes for item in self._images.values()) > self._budget and len(self._images) > 1:
                self._images.popitem(last=False)
        return images


def read_arrays(artifacts: ArtifactStore, sha256: str, *names: str) -> dict[str, NDArray[Any]]:
    """The named arrays of an npz artifact, or all of them."""
    with np.load(io.BytesIO(artifacts.read(sha256)), allow_pickle=False) as file:
        return {name: file[name] for name in names or file.files}


def _bytes(fractions: NDArray[Any]) -> Pixels:
    scaled: Pixels = np.rint(np.clip(fractions, 0, 1) * 255).astype(np.uint8)
    return scaled
