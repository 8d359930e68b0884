"""Decoded images of artifacts, kept for the next request."""

import io
import zipfile
from collections import OrderedDict
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from backend.services.errors import NoImageError
from backend.storage.artifacts import ArtifactCorruptError, ArtifactStore
from tauscope.figures.window_pictures import draw_windows, picture_shape

Pixels = NDArray[np.uint8]
_BUDGET = 128 * 1024 * 1024
_DRAWN = 3  # Axes at least: sample, channel and time, or more.
_CHECKPOINTS = 256  # 10,000 samples and their neighbours take 400 kB.


def no_images() -> NoImageError:
    """Of a run on points, which have no picture."""
    return NoImageError("The run learns no images", "Only runs on images and windows of series have some to show")


@dataclass(frozen=True)
class Neighbours:
    """The two nearest training images of every sample: [sample, 2], nearest first; and the shape of an image."""

    nearest: NDArray[np.int64]
    distances: NDArray[np.float64]
    image_shape: tuple[int, int, int]

    @property
    def gap_ratio(self) -> NDArray[np.float64]:
        """d1/d2; the two are distinct, so d2 is never 0."""
        ratio: NDArray[np.float64] = self.distances[:, 0] / self.distances[:, 1]
        return ratio


class ImageCache:
    """Images as bytes, NCHW, by the hash of the file they came from; the least recently used go first."""

    def __init__(self, artifacts: ArtifactStore, budget: int = _BUDGET) -> None:
        self._artifacts = artifacts
        self._budget = budget
        self._images: OrderedDict[str, Pixels] = OrderedDict()
        self._lock = Lock()
        self.neighbours = lru_cache(_CHECKPOINTS)(self._neighbours)
        self.labels = lru_cache(_CHECKPOINTS)(self._labels)

    def load(self, sha256: str, array: str) -> Pixels:
        """The array of that name in the npz file; it holds fractions of white.

        Raises:
            NoImageError: if there is none, as of points that are no images.
        """
        with self._lock:
            if sha256 in self._images:
                self._images.move_to_end(sha256)
                return self._images[sha256]
        arrays = read_arrays(self._artifacts, sha256)
        if array not in arrays or arrays[array].ndim < _DRAWN:
            raise no_images()
        images = _pixels(arrays[array])
        with self._lock:
            self._images[sha256] = images
            while sum(item.nbytes for item in self._images.values()) > self._budget and len(self._images) > 1:
                self._images.popitem(last=False)
        return images

    def row(self, sha256: str, array: str, index: int) -> Pixels:
        """One image of an array, [channel, height, width], without reading the others of a file that is not in memory."""
        with self._lock:
            held = self._images.get(sha256)
        image: Pixels = held[index] if held is not None else _pixels(read_row(self._artifacts, sha256, array, index)[None])[0]
        return image

    def _neighbours(self, sha256: str) -> Neighbours:
        arrays = read_members(self._artifacts, sha256, "neighbours", "distances")
        shape = read_shape(self._artifacts, sha256, "samples")
        if len(shape) < _DRAWN:
            raise no_images()
        image = picture_shape(shape[1], shape[2]) if len(shape) == 3 else (shape[1], shape[2], shape[3])
        return Neighbours(arrays["neighbours"], arrays["distances"].astype(np.float64), image)

    def _labels(self, sha256: str) -> NDArray[np.int64] | None:
        """The label of each image of an npz file; nothing where it holds none."""
        found = read_members(self._artifacts, sha256, "labels", missing_ok=True)
        return found.get("labels")


def read_shape(artifacts: ArtifactStore, sha256: str, name: str) -> tuple[int, ...]:
    """The shape of an array in an npz artifact, without its content."""
    with artifacts.open(sha256) as file, zipfile.ZipFile(file) as archive, archive.open(f"{name}.npy") as member:
        return _header(member)[0]


def read_row(artifacts: ArtifactStore, sha256: str, name: str, index: int) -> NDArray[Any]:
    """``array[index]`` of an npz artifact; unlike ``read_arrays`` it does not verify the file."""
    with artifacts.open(sha256) as file, zipfile.ZipFile(file) as archive, archive.open(f"{name}.npy") as member:
        shape, dtype = _header(member)
        size = int(np.prod(shape[1:])) * dtype.itemsize
        member.seek(index * size, io.SEEK_CUR)
        return np.frombuffer(member.read(size), dtype).reshape(shape[1:])


def read_members(artifacts: ArtifactStore, sha256: str, *names: str, missing_ok: bool = False) -> dict[str, NDArray[Any]]:
    """The named arrays of an npz artifact, of which alone the bytes are read: the images beside them are a hundred times as many.

    Args:
        missing_ok: leave out what the archive has not.

    Raises:
        ArtifactCorruptError: if the file is gone, or an array does not match the archive's own checksum of it.
    """
    try:
        with artifacts.open(sha256) as file, zipfile.ZipFile(file) as archive:
            held = archive.namelist()
            return {name: _read_member(archive, name) for name in names if not missing_ok or f"{name}.npy" in held}
    except zipfile.BadZipFile as error:
        raise ArtifactCorruptError(sha256, "is damaged in the store") from error


def _read_member(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    with archive.open(f"{name}.npy") as member:
        found: NDArray[Any] = npy.read_array(member, allow_pickle=False)
        return found


def _header(member: Any) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = npy.read_magic(member)
    assert version == (1, 0), "numpy writes headers this short in its first version"
    shape, _, dtype = npy.read_array_header_1_0(member)
    return shape, dtype


def read_arrays(artifacts: ArtifactStore, sha256: str, *names: str) -> dict[str, NDArray[Any]]:
    """The named arrays of an npz artifact, or all of them."""
    with np.load(io.BytesIO(artifacts.read(sha256)), allow_pickle=False) as file:
        return {name: file[name] for name in names or file.files}


def _pixels(points: NDArray[Any]) -> Pixels:
    """Images as they are, NCHW; windows of a series, [window, channel, time], drawn."""
    drawn: Pixels = draw_windows(points) if points.ndim == 3 else _bytes(points)
    return drawn


def _bytes(fractions: NDArray[Any]) -> Pixels:
    scaled: Pixels = np.rint(np.clip(fractions, 0, 1) * 255).astype(np.uint8)
    return scaled
