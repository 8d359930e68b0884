"""One process of the stack: its command, its log, and when it may start again."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from launcher.processes import started_at

FIRST_BACKOFF = 0.5
LAST_BACKOFF = 30.0
HEALTHY_SECONDS = 60.0
START_SECONDS = 20.0  # What ends by itself sooner, the first time, cannot start; nobody is helped by trying for ever.
MAX_LOG_BYTES = 10_000_000


class Part:
    """A child process that is started again when it dies, each time a little later."""

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str], logs: Path, *, grace_seconds: float) -> None:
        self.name = name
        self.grace_seconds = grace_seconds
        self.restart_at: float | None = None
        self._command = tuple(command)
        self._environment = dict(environment)
        self._log = logs / f"{name}.log"
        self._backoff = FIRST_BACKOFF
        self._started = 0.0
        self._starts = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> tuple[int, str | None]:
        """Start the process and return its pid and identity. Only the main thread may: the tether follows the thread's life."""
        self._log.parent.mkdir(parents=True, exist_ok=True)
        self._shorten_log()
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "launcher.tether", str(os.getpid()), *self._command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment,
                # A Ctrl-C in the terminal is for the supervisor alone, which stops the parts in order.
                start_new_session=True,
            )
        self._started = time.monotonic()
        self._starts += 1
        self.restart_at = None
        return self._process.pid, started_at(self._process.pid)

    @property
    def cannot_start(self) -> bool:
        """Whether it has just ended in its very first start, with an error of its own: no signal killed it."""
        code = self._process.poll() if self._process else None
        return self._starts == 1 and code is not None and code > 0 and time.monotonic() - self._started < START_SECONDS

    def schedule_restart(self) -> float:
        """Decide when a dead part starts again, and return in how many seconds."""
        if time.monotonic() - self._started > HEALTHY_SECONDS:
            self._backoff = FIRST_BACKOFF
        delay, self._backoff = self._backoff, min(2 * self._backoff, LAST_BACKOFF)
        self.restart_at = time.monotonic() + delay
        return delay

    def ask_to_end(self) -> None:
        """Send SIGTERM."""
        if self._process is not None and self.alive:
            self._process.terminate()

    def kill(self) -> None:
        """Kill the process and all of its group."""
        if self._process is not None and self.alive:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def how_it_ended(self) -> str:
        """In words, e.g. ``signal SIGKILL``."""
        code = self._process.poll() if self._process else None
        return "still running" if code is None else f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"

    def log_tail(self, lines: int = 15) -> str:
        """The last lines of its log."""
        text = self._log.read_text(encoding="utf-8", errors="replace") if self._log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    def _shorten_log(self) -> None:
        if self._log.exists() and self._log.stat().st_size > MAX_LOG_BYTES:
            self._log.replace(self._log.with_suffix(".log.1"))
