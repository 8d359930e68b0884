"""What the cache of this machine holds: prepared images, features and archives, with their sizes; and removing what is not used."""

import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from tauscope.datasets.cache import IMAGES, PARTIAL, RECORD, if_nobody_prepares
from tauscope.folders import cache_folder

Kind = Literal["prepared images", "unfinished images", "features", "archive"]


@dataclass(frozen=True)
class Kept:
    """One thing that can be had again.

    Attributes:
        place: a folder or a file; of features each block of images has its own.
        what: in words, for a person.
        n_bytes: the space it takes.
        used_at: when it was last read or written, Unix seconds.
    """

    kind: Kind
    place: Path
    what: str
    n_bytes: int
    used_at: float


def kept() -> list[Kept]:
    """Everything in the cache, the largest first; what another process takes away meanwhile is left out."""
    root = cache_folder()
    found = [
        *_described(root.glob("datasets/*/"), _images),
        *_described(root.glob("features/??/*.npy"), _features),
        *_described(root.glob("archives/*.zip"), _archive),
    ]
    return sorted(found, key=lambda item: -item.n_bytes)


def prune(items: Iterable[Kept], *, unused_since: float) -> list[Kept]:
    """Remove what was not used since a time, Unix seconds; images that a process prepares at this moment stay.

    A run that has begun is not disturbed: it has read its images, and a file that is mapped stays until it is closed.

    Returns:
        What was removed.
    """
    return [item for item in items if item.used_at < unused_since and _remove(item)]


def _described(places: Iterable[Path], describe: Callable[[Path], Kept]) -> Iterator[Kept]:
    for place in places:
        with suppress(FileNotFoundError):
            yield describe(place)


def _images(place: Path) -> Kept:
    files = [file.stat() for file in place.iterdir()]
    unfinished = place.name.endswith(PARTIAL)
    used_at = max((status.st_mtime for status in files), default=place.stat().st_mtime)
    kind: Kind = "unfinished images" if unfinished else "prepared images"
    return Kept(kind, place, "" if unfinished else _words(place), sum(status.st_size for status in files), used_at)


def _words(place: Path) -> str:
    """How many images of what shape, and where the first of them stands; of a damaged one that it is."""
    try:
        record = json.loads((place / RECORD).read_text())
        count, channels, height, _ = np.load(place / IMAGES, mmap_mode="r").shape if record["n_listed"] else (0, 1, 0, 0)
    except (OSError, EOFError, ValueError, KeyError):
        return "damaged, made again when it is asked for"
    first = f", the first {record['first']}" if record.get("first") else ""
    return f"{count:,} images, {height} pixels, {'grey' if channels == 1 else 'colour'}{first}"


def _features(file: Path) -> Kept:
    status = file.stat()
    return Kept("features", file, "of a block of images", status.st_size, status.st_mtime)


def _archive(file: Path) -> Kept:
    status = file.stat()
    # Its time of change belongs to the fingerprint of its images, so reading must not move it.
    return Kept(
        "archive", file, f"{file.stem[:12]}, fetched again when a run needs it", status.st_size, max(status.st_mtime, status.st_atime)
    )


def _remove(item: Kept) -> bool:
    if item.kind in ("features", "archive"):
        item.place.unlink(missing_ok=True)
        return True
    with if_nobody_prepares(item.place) as alone:
        if alone:
            shutil.rmtree(item.place, ignore_errors=True)
    return alone
