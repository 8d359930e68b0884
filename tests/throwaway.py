"""Folders that vanish with whatever runs in them, also when the tests are killed: ``python -m tests.throwaway FOLDER``.

A process of its own waits until its input ends, which it does at the end of a test as at the death of pytest. Then it
ends every process that works in the folder or whose environment names it, unmounts the folder and removes it.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PATIENCE_SECONDS = 3.0


@contextmanager
def throwaway_folder(prefix: str, *, megabytes: int | None = None) -> Iterator[Path | None]:
    """A new temporary folder; with ``megabytes`` a small disk of its own, or ``None`` where mounting is not permitted.

    Not pytest's folder: parts that run as another user must be able to reach it.
    """
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    folder.chmod(0o755)
    guard = subprocess.Popen([sys.executable, "-m", "tests.throwaway", str(folder)], stdin=subprocess.PIPE, start_new_session=True)
    try:
        yield folder if megabytes is None or _mount(folder, megabytes) else None
    finally:
        assert guard.stdin is not None
        guard.stdin.close()
        guard.wait(timeout=30)


def belongings(folder: Path) -> list[int]:
    """The pids of processes that work in the folder or whose environment names it, but for those that look after it."""
    return [int(found.name) for found in Path("/proc").glob("[0-9]*") if int(found.name) != os.getpid() and _belongs(found, folder)]


def _belongs(process: Path, folder: Path) -> bool:
    with suppress(OSError):
        working = (process / "cwd").readlink()
        return working == folder or folder in working.parents or str(folder).encode() in (process / "environ").read_bytes()
    return False


def _mount(folder: Path, megabytes: int) -> bool:
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "none", str(folder)]
    return shutil.which("mount") is not None and subprocess.run(command, capture_output=True, check=False).returncode == 0


def _end(folder: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    # SIGQUIT is what makes Postgres stop at once and give its shared memory back.
    for number in (signal.SIGCONT, signal.SIGQUIT):
        _send(belongings(folder), number)
    while (left := belongings(folder)) and time.monotonic() < deadline:
        time.sleep(0.05)
    _send(left, signal.SIGKILL)


def _send(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def main() -> None:
    """Wait for the end of the input, then leave nothing."""
    folder = Path(sys.argv[1])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # A Ctrl-C is for the tests; their end is what counts here.
    sys.stdin.buffer.read()
    _end(folder)
    if folder.is_mount():
        subprocess.run(["umount", "-l", str(folder)], check=True)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
