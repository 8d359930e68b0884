"""Work folders: one a worker process, locked while it lives, so that the next one can clear what a killed one left."""

import fcntl
import shutil
from pathlib import Path
from typing import IO


def open_work_folder(folder: Path) -> IO[bytes]:
    """Make this process's work folder and clear those of dead processes beside it. Keep the result open: it is the lock."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    for other in folder.parent.iterdir():
        if other.is_dir():
            _clear_if_dead(other)
    folder.mkdir(exist_ok=True)
    lock = _try_lock(folder)
    assert lock is not None, "a work folder is named after its process"
    return lock


def _clear_if_dead(folder: Path) -> None:
    lock = _try_lock(folder)
    if lock is not None:
        shutil.rmtree(folder, ignore_errors=True)
        lock.close()


def _try_lock(folder: Path) -> IO[bytes] | None:
    try:
        lock = (folder / "lock").open("wb")
    except FileNotFoundError:
        return None  # Another worker has just cleared it.
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    return lock
