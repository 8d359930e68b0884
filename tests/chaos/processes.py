"""Finding and harming the processes of one stack, by a mark in their environment that every descendant inherits."""

import os
import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

MARK = "TAUSCOPE_CHAOS_MARK"


def marked(mark: str, *words: str) -> list[int]:
    """The pids of living processes that carry the mark and have all words among their arguments, the oldest first."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            environment = (folder / "environ").read_bytes().split(b"\0")
            arguments = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
            if f"{MARK}={mark}".encode() in environment and all(word in arguments for word in words):
                found.append((_started(folder), int(folder.name)))
    return [pid for _, pid in sorted(found)]


def children_of(parent: int) -> list[int]:
    """The direct children of a process."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if int(_fields(folder)[1]) == parent:
                found.append(int(folder.name))
    return found


def send(pids: Iterable[int], number: signal.Signals) -> None:
    """Signal processes; those that are gone already do not count."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def freeze(pids: Iterable[int], seconds: float) -> None:
    """Stop processes for a while, as a suspended laptop or a paused virtual machine does."""
    stopped = list(pids)
    send(stopped, signal.SIGSTOP)
    try:
        time.sleep(seconds)
    finally:
        send(stopped, signal.SIGCONT)


def _started(folder: Path) -> int:
    return int(_fields(folder)[19])


def _fields(folder: Path) -> list[str]:
    return (folder / "stat").read_text().rpartition(")")[2].split()
