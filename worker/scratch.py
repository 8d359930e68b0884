"""Work folders: one a worker process, locked while it lives, so that the next one can clear what a killed one left."""

import fcntl
import os
import shutil
import time
from pathlib import Path
from typing import IO

LOCK = "lock"
PATIENCE_SECONDS = 10.0


def open_work_folder(folder: Path) -> IO[bytes]:
    """Make this process's work folder and clear those of dead processes beside it. Keep the result open: it is the lock.

    Raises:
        OSError: if another process holds it.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    lock = _make(folder)
    _empty(folder)
    for other in folder.parent.iterdir():
        if other.is_dir() and other != folder:
            _clear_if_dead(other)
    return lock


def _make(folder: Path) -> IO[bytes]:
    """Make and lock a folder. A worker that starts now may clear it between the two; then it is made anew."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        folder.mkdir(exist_ok=True)
        lock = _try_lock(folder)
        if lock is not None:
            return lock
        time.sleep(0.01)
    raise OSError(f"{folder} is held by another process of this name. Give each machine its own TAUSCOPE_HOME")


def _empty(folder: Path) -> None:
    """Clear what a dead process of the same name left: in a container, names come again."""
    for left in folder.iterdir():
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        elif left.name != LOCK:
            left.unlink()


def _clear_if_dead(folder: Path) -> None:
    lock = _try_lock(folder)
    if lock is not None:
        shutil.rmtree(folder, ignore_errors=True)
        lock.close()


def _try_lock(folder: Path) -> IO[bytes] | None:
    path = folder / LOCK
    try:
        lock = path.open("wb")
    except FileNotFoundError:
        return None  # Another worker has just cleared it.
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(lock.fileno()), path.stat()):
            return lock
    except (BlockingIOError, FileNotFoundError):
        pass
    lock.close()  # Held, or locked only after its file was removed, and perhaps made anew by another.
    return None
