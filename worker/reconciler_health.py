"""``python -m worker.reconciler_health``: exit code 0 if this machine's reconciler made a round lately, for container health checks."""

import socket
import sys
import time
from pathlib import Path

from worker.settings import WorkerSettings, read_settings

MISSED_ROUNDS = 6
PATIENCE_SECONDS = 30.0  # A round may wait for a database that does not answer.


def note_round(settings: WorkerSettings) -> None:
    """Note that a round is made, by a clock that does not step and that all processes of a machine share."""
    path = _path(settings)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_suffix(".part")
    part.write_text(repr(time.monotonic()))
    part.replace(path)


def forget_rounds(settings: WorkerSettings) -> None:
    """Leave nothing behind."""
    _path(settings).unlink(missing_ok=True)


def is_healthy(settings: WorkerSettings) -> bool:
    """Whether the last round is not long ago. A note from before the machine was started lies in the future, and counts for nothing."""
    try:
        seconds = time.monotonic() - float(_path(settings).read_text())
    except FileNotFoundError:
        return False
    return 0 <= seconds <= max(PATIENCE_SECONDS, MISSED_ROUNDS * settings.reconcile_seconds)


def _path(settings: WorkerSettings) -> Path:
    return settings.home / f"reconciler-{socket.gethostname()}.round"


if __name__ == "__main__":
    sys.exit(0 if is_healthy(read_settings()) else 1)
