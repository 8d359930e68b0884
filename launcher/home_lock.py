"""One stack a home folder: ``up.pid`` is locked as long as it runs, and says where."""

import fcntl
import json
import os
from pathlib import Path

from launcher.errors import LaunchError


class HomeLock:
    """Held from start to stop. The system releases it when the process dies, however it dies."""

    def __init__(self, home: Path, address: str) -> None:
        """Take the lock.

        Raises:
            LaunchError: naming the process and the address of the stack that holds it.
        """
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = home / "up.pid"
        self._file = path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise _already(home, path.read_text(encoding="utf-8")) from None
        self._write(json.dumps({"pid": os.getpid(), "address": address}))

    def release(self) -> None:
        """Let the next one start. The file stays: removing a locked file would let two processes hold two of them."""
        self._write("")
        self._file.close()

    def _write(self, text: str) -> None:
        self._file.truncate(0)
        self._file.write(text)
        self._file.flush()


def running_address(home: Path) -> str | None:
    """The address of the stack that runs on this home, if one does."""
    path = home / "up.pid"
    if not path.exists():
        return None
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return str(_read(path.read_text(encoding="utf-8")).get("address", "")) or None
    return None


def _already(home: Path, text: str) -> LaunchError:
    holder = _read(text)
    who = f"process {holder['pid']}, {holder['address']}" if holder else "just starting"
    return LaunchError(
        f"one already runs on {home} ({who})", "Use that one, stop it with Ctrl-C, or choose another home with --home and other ports"
    )


def _read(text: str) -> dict[str, object]:
    try:
        return dict(json.loads(text))
    except ValueError:
        return {}  # Its owner has taken the lock, but not written yet.
