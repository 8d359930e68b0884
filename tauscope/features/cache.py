"""Features kept by what they are of: a block of images by its pixels, and the network by its identity. Any file may be deleted."""

import hashlib
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from tauscope.features.network import FeatureNetwork, Images
from tauscope.folders import cache_folder

BLOCK = 64
LIMIT_BYTES = 4 * 2**30
_SUFFIX = ".npy"


@dataclass(frozen=True)
class FeatureCache:
    """Features on disk, the least recently used ones removed beyond a limit; safe with several processes at once.

    A block's features never depend on which images stand in others, so more images of a set only cost those that are new.

    Attributes:
        folder: where; made when first written to.
        limit_bytes: what all files may take.
    """

    folder: Path
    limit_bytes: int = LIMIT_BYTES

    @classmethod
    def default(cls) -> "FeatureCache":
        """That of this machine."""
        return cls(cache_folder() / "features")

    def features(
        self, network: FeatureNetwork, images: Images, *, between: Callable[[], None] = lambda: None
    ) -> Float[ndarray, "image feature"]:
        """The features of uint8 images, from here where they are known; ``between`` is called after each block."""
        found, kept = [], 0
        for block in images.split(BLOCK):
            path = self._path(network, block)
            known = _read(path, len(block))
            if known is None:
                known, kept = network.features(block), kept + 1
                _keep(path, known)
            found.append(known)
            between()
        if kept:
            self._tidy()
        return np.concatenate(found)

    def _path(self, network: FeatureNetwork, block: Images) -> Path:
        pixels = block.cpu().contiguous()
        digest = hashlib.sha256(f"{network.identity} {tuple(pixels.shape)} ".encode())
        digest.update(pixels.numpy().tobytes())
        key = digest.hexdigest()
        return self.folder / key[:2] / f"{key}{_SUFFIX}"

    def _tidy(self) -> None:
        """Remove what was not used for longest until a tenth of the limit is free."""
        files = [(stat.st_mtime, stat.st_size, file) for file in self.folder.glob(f"??/*{_SUFFIX}") if (stat := _stat(file))]
        total = sum(size for _, size, _ in files)
        if total <= self.limit_bytes:
            return
        for _, size, file in sorted(files):
            file.unlink(missing_ok=True)
            total -= size
            if total <= 0.9 * self.limit_bytes:
                return


def _keep(path: Path, features: ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, written = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "wb") as file:
        np.save(file, features)
    Path(written).replace(path)


def _read(path: Path, count: int) -> ndarray | None:
    """The kept features, now the most recently used; nothing where there are none, or a disk lost part of them."""
    try:
        features: ndarray = np.load(path, allow_pickle=False)
        path.touch()
    except (OSError, ValueError, EOFError):
        return None
    return features if len(features) == count else None


def _stat(file: Path) -> os.stat_result | None:
    try:
        return file.stat()
    except FileNotFoundError:  # Another process tidies too.
        return None
