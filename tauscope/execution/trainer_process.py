"""The handle on a trainer child: a spawned Python process that trains, and dies when its parent does."""

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

from tauscope.execution.events import Command, DeferSamples, EndSegment, EvaluateCheckpoint, Failed, RunSegment, TrainerEvent, parse_event
from tauscope.specs import ExperimentSpec

# glibc gives large blocks back to the kernel at once and faults them in again at the next layer; keeping up to a gigabyte
# saves the small networks a few percent of their time, and huge pages, where the kernel
# lets a process ask for them, a few more. Other allocators ignore these variables.
KEEP_FREED_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": str(2**30),
    "MALLOC_TRIM_THRESHOLD_": str(2**30),
    "MALLOC_TOP_PAD_": str(2**26),
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
}


class TrainerProcess:
    """A warm child: it loads PyTorch once and then trains one segment after another.

    The child is spawned, never forked, so that no state of the parent (threads, a CUDA context) leaks into it. It
    watches its standard input and exits at end-of-file: an orphan that runs holds no device.
    """

    def __init__(
        self,
        *,
        threads: int = 1,
        log: IO[bytes] | None = None,
        on_event: Callable[[], None] | None = None,
        environment: Mapping[str, str] | None = None,
        module: str = "tauscope.execution.child",
    ) -> None:
        """``environment`` adds variables, e.g. the one visible device; ``module`` is what the child runs."""
        limits = {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": str(threads)}
        self._process = subprocess.Popen(
            [sys.executable, "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env={**KEEP_FREED_MEMORY, **os.environ, **limits, **(environment or {})},
            # Its own group: a Ctrl-C in the terminal reaches the parent alone, which then ends the segment in order.
            start_new_session=True,
        )
        self._events: queue.Queue[TrainerEvent | None] = queue.Queue()
        self._on_event = on_event
        self._reader = threading.Thread(target=self._read, name="trainer-events", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def run_segment(
        self,
        spec: ExperimentSpec,
        folder: Path,
        *,
        checkpoint: Path | None = None,
        max_seconds: float | None = None,
        may_defer: bool = False,
    ) -> None:
        """Start a segment; its results arrive as events and end with ``SegmentEnded`` or ``Failed``."""
        self._send(
            RunSegment(
                spec=spec.model_dump(mode="json"),
                folder=str(folder),
                checkpoint=str(checkpoint) if checkpoint else None,
                max_seconds=max_seconds,
                may_defer=may_defer,
            )
        )

    def evaluate(
        self, spec: ExperimentSpec, folder: Path, checkpoint: Path | None, *, step: int, measured_as: ExperimentSpec | None = None
    ) -> None:
        """Start to draw and measure the samples of a step; the results end with ``EvaluationEnded`` or ``Failed``.

        With ``measured_as`` all of it is measured again as the measurement of that spec says.
        """
        state, other = str(checkpoint) if checkpoint else None, measured_as.model_dump(mode="json") if measured_as else None
        command = {"spec": spec.model_dump(mode="json"), "folder": str(folder), "checkpoint": state, "step": step, "measured_as": other}
        self._send(EvaluateCheckpoint.model_validate(command))

    def defer_samples(self, defer: bool) -> None:
        """Ask the child to leave the samples that are due to another process, or to draw them again."""
        self._send(DeferSamples(defer=defer))

    def end_segment(self) -> None:
        """Ask the child to write a checkpoint and end the segment at the next step."""
        self._send(EndSegment())

    def next_event(self, timeout: float) -> TrainerEvent | None:
        """The next event, or ``None`` if none came within ``timeout`` seconds.

        A child that died yields ``Failed`` with code ``trainer_died``.
        """
        try:
            event = self._events.get(timeout=timeout)
        except queue.Empty:
            return None
        return event if event is not None else self._death()

    def close(self, *, timeout: float = 5.0) -> None:
        """Close the child's input, upon which it exits; kill it if it does not."""
        self._close_input()
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """Kill the child and wait until it is gone."""
        self._process.kill()
        self._process.wait()
        self._close_input()
        self._reader.join(1.0)

    def _close_input(self) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # It has gone already, which is what was wanted.
            self._process.stdin.close()

    def _send(self, command: Command) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # The reader thread reports the death as an event.
            self._process.stdin.write(command.model_dump_json().encode() + b"\n")
            self._process.stdin.flush()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self._events.put(parse_event(line))
                if self._on_event:
                    self._on_event()
        self._events.put(None)
        if self._on_event:
            self._on_event()

    def _death(self) -> Failed:
        self._events.put(None)  # Whoever asks again hears the same.
        code = self._process.wait()
        cause = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        return Failed(
            code="trainer_died",
            message=f"the training process ended without a word ({cause})",
            remedy="If it was killed for memory (SIGKILL), use a smaller batch or fewer samples per checkpoint; else see the worker's log",
            traceback="",
        )
