"""Processes of earlier starts: recognising them for certain, and ending them."""

import os
import signal
import subprocess
import time
from pathlib import Path


def started_at(pid: int) -> str | None:
    """When a process was started, as the system tells it; ``None`` if it does not run.

    With the pid it identifies a process: pids are used again, pairs of the two are not.
    """
    stat = Path(f"/proc/{pid}/stat")
    if stat.exists():
        # The name in parentheses may hold spaces; the fields after it do not. The 22nd field of all is the start.
        fields = stat.read_text().rpartition(")")[2].split()
        return None if fields[0] == "Z" else f"{_boot_id()}/{fields[19]}"
    if Path("/proc/self").exists():
        return None
    listed = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return listed.stdout.strip() or None


def end_process(pid: int, identity: str, *, grace_seconds: float) -> None:
    """End a process if it is still the one that was recorded: SIGTERM, and SIGKILL after the grace."""
    deadline = time.monotonic() + grace_seconds
    _signal_group(pid, identity, signal.SIGTERM)
    while started_at(pid) == identity and time.monotonic() < deadline:
        time.sleep(0.05)
    _signal_group(pid, identity, signal.SIGKILL)
    while started_at(pid) == identity:
        time.sleep(0.02)


def _signal_group(pid: int, identity: str, number: signal.Signals) -> None:
    """Signal a part; SIGKILL reaches its whole process group, so that nothing of it is left."""
    if started_at(pid) != identity:
        return
    try:
        if number == signal.SIGKILL and os.getpgid(pid) == pid:
            os.killpg(pid, number)
        else:
            os.kill(pid, number)
    except ProcessLookupError:
        pass  # It ended by itself in this moment.


def _boot_id() -> str:
    path = Path("/proc/sys/kernel/random/boot_id")
    return path.read_text().strip() if path.exists() else ""
