"""Prepared images kept on this machine: each preparation of a data set is made once and mapped into memory from then on.

A cache is a folder ``<key>`` with ``images.npy`` and ``preparation.json``. It is made beside its place and renamed into it,
so what stands there is whole; whoever wants the same one meanwhile waits for it. Any of them may be deleted at any time.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from tauscope.datasets.image_list import ImageList, UnreadableImageError
from tauscope.datasets.preparing import VERSION, Preparation, Progress, unwatched, write_prepared
from tauscope.folders import cache_folder

POLL_SECONDS = 0.5
IMAGES, RECORD, PARTIAL = "images.npy", "preparation.json", ".partial"


@dataclass(frozen=True)
class Prepared:
    """All images of a list that could be read, in its order; ``pixels`` may be mapped from a file."""

    pixels: UInt8[ndarray, "image channel height width"]
    record: Preparation


def open_prepared(images: ImageList, *, size: int, colour: bool, skip: bool, progress: Progress = unwatched) -> Prepared:
    """The images prepared: from the cache, or made now and kept there.

    Args:
        size: height and width in pixels.
        colour: three channels, or one.
        skip: leave unreadable images out; else the first one ends the preparation.
        progress: told how many of how many images are done, also while another process prepares them.

    Raises:
        UnreadableImageError: naming the first unreadable image, unless they are skipped.
        OSError: if the cache cannot be written.
    """
    place = _place(images, size, colour)
    found = _read(place)
    if found is None:
        place.parent.mkdir(parents=True, exist_ok=True)
        row_bytes = size * size * (3 if colour else 1)
        with _only_one(place, lambda: progress(min(_written(place) // row_bytes, len(images)), len(images))) as alone:
            for leftover in _partials(place) if alone else ():
                shutil.rmtree(leftover, ignore_errors=True)
            found = _read(place) or _make(images, place, size=size, colour=colour, skip=skip, progress=progress)
    if not skip:
        _refuse_unreadable(found.record)
    return found


def find_prepared(images: ImageList, *, size: int, colour: bool) -> Prepared | None:
    """The images prepared, if they are in the cache."""
    return _read(_place(images, size, colour))


def _place(images: ImageList, size: int, colour: bool) -> Path:
    return cache_folder() / "datasets" / _key(images, size, colour)


def _key(images: ImageList, size: int, colour: bool) -> str:
    return hashlib.sha256(f"{images.fingerprint()} {size} {colour} {VERSION}".encode()).hexdigest()[:32]


def _read(place: Path) -> Prepared | None:
    """What stands there, if it is whole; a disk that filled up or failed may have left less than was written."""
    try:
        record = Preparation.parse(json.loads((place / RECORD).read_text()))
        pixels = np.load(place / IMAGES, mmap_mode="r") if record.n_images else np.empty((0, 1, 1, 1), np.uint8)
    except (OSError, EOFError, ValueError, KeyError, TypeError):
        return None
    with contextlib.suppress(OSError):
        (place / RECORD).touch()  # Its time of change is the last use.
    return Prepared(pixels, record) if len(pixels) == record.n_images else None


def _make(images: ImageList, place: Path, *, size: int, colour: bool, skip: bool, progress: Progress) -> Prepared:
    partial = place.with_name(f"{place.name}.{uuid.uuid4().hex[:12]}{PARTIAL}")
    partial.mkdir()
    try:
        record = write_prepared(images, partial / IMAGES, size=size, colour=colour, skip=skip, progress=progress)
        first = {"first": images.place(0)} if len(images) else {}
        (partial / RECORD).write_text(json.dumps(record.document | first))
        return _publish(partial, place)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _publish(partial: Path, place: Path) -> Prepared:
    """Give a finished cache its name, unless one that somebody else made stands there by now."""
    for file in (partial / IMAGES, partial / RECORD):
        with file.open("rb+") as written:
            os.fsync(written.fileno())
    if _read(place) is None:
        shutil.rmtree(place, ignore_errors=True)
        try:
            partial.rename(place)
        except OSError:
            if _read(place) is None:
                raise
    found = _read(place)
    assert found is not None, place
    return found


@contextlib.contextmanager
def _only_one(place: Path, waiting: Callable[[], None]) -> Iterator[bool]:
    """Wait until no other process makes this cache; a lock goes with its process. Yields whether there are locks here."""
    with place.with_name(place.name + ".lock").open("w") as lock:
        yield _locked(lock, waiting)


@contextlib.contextmanager
def if_nobody_prepares(place: Path) -> Iterator[bool]:
    """Hold the lock of a cache, or of what is left of making it, without waiting; yields whether it is held."""
    key = place.name.partition(".")[0]
    with place.with_name(f"{key}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
        else:
            yield True


def _locked(lock: IO[str], waiting: Callable[[], None]) -> bool:
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            time.sleep(POLL_SECONDS)
        except OSError:  # A network folder without locks: two may work at once, and the first to be done is taken.
            return False
        else:
            return True


def _partials(place: Path) -> list[Path]:
    return list(place.parent.glob(f"{place.name}.*{PARTIAL}"))


def _written(place: Path) -> int:
    """Bytes that somebody else has prepared so far."""
    sizes = [0]
    for partial in _partials(place):
        with contextlib.suppress(FileNotFoundError):
            sizes.append((partial / IMAGES).stat().st_size)
    return max(sizes)


def _refuse_unreadable(record: Preparation) -> None:
    if record.unreadable:
        raise UnreadableImageError(record.unreadable[0].place, record.unreadable[0].reason)
