"""The trainer child: reads commands from standard input, trains, and writes events to standard output, one JSON a line.

Run as ``python -m tauscope.execution.child``. It exits at end-of-file on standard input, that is, when its parent is gone.
"""

import os
import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO

import torch

from tauscope.contracts.points import Point
from tauscope.datasets import DatasetError
from tauscope.execution.devices import DeviceError, choose_device, wait_until_free
from tauscope.execution.events import (
    CheckpointWritten,
    Command,
    DatasetWritten,
    EndSegment,
    Failed,
    Measured,
    Progress,
    Ready,
    RunSegment,
    SamplesWritten,
    SegmentEnded,
    TrainerEvent,
    parse_command,
)
from tauscope.execution.memory import BatchSearch, Shortage, free_memory, largest_batch, ran_out_of_memory
from tauscope.execution.trial import TrialError, fits
from tauscope.experiments import EXPERIMENTS
from tauscope.specs import KINDS
from tauscope.training.checkpoints import CheckpointError
from tauscope.training.trainer import DivergedError

PROGRESS_SECONDS = 1.0
# A parent that gives each child a device of its own says so; without it, children may share one.
BUSY_SHARE = float(os.environ.get("TAUSCOPE_DEVICE_BUSY_SHARE", "1"))
DEVICE_PATIENCE_SECONDS = float(os.environ.get("TAUSCOPE_DEVICE_PATIENCE_SECONDS", "60"))


def main() -> None:
    """Serve segments until the parent closes the pipe."""
    events = _claim_stdout()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    commands = CommandReader(sys.stdin.buffer)
    _send(events, Ready(torch_version=torch.__version__, device=str(choose_device("auto"))))
    while True:
        command = commands.next_segment()
        _serve(command, events, commands)


class CommandReader:
    """Reads the parent's commands in a thread, so that its death is noticed in the middle of a step."""

    def __init__(self, pipe: BinaryIO) -> None:
        self._segments: queue.Queue[RunSegment] = queue.Queue()
        self._end = threading.Event()
        threading.Thread(target=self._read, args=(pipe,), daemon=True).start()

    def _read(self, pipe: BinaryIO) -> None:
        for line in pipe:
            command: Command = parse_command(line)
            if isinstance(command, EndSegment):
                self._end.set()
            else:
                self._end.clear()
                self._segments.put(command)
        # No clean-up: the parent is gone, and a device must not be held for a lost run.
        os._exit(0)

    def next_segment(self) -> RunSegment:
        return self._segments.get()

    def end_requested(self) -> bool:
        return self._end.is_set()


class EventRecorder:
    """Turns a run's results into events, and a command to end or a spent time budget into the end of the segment."""

    def __init__(self, events: BinaryIO, commands: CommandReader, max_seconds: float | None) -> None:
        self._events = events
        self._commands = commands
        self._deadline = time.monotonic() + max_seconds if max_seconds is not None else None
        self._reported: tuple[float, int] | None = None

    def dataset(self, train: Path, held_out: Path) -> None:
        _send(self._events, DatasetWritten(train=str(train), held_out=str(held_out)))

    def progress(self, step: int, loss: float) -> None:
        now = time.monotonic()
        if self._reported is None:
            self._reported = (now, step)
        since, at = self._reported
        if now - since >= PROGRESS_SECONDS:
            _send(self._events, Progress(step=step, steps_per_second=(step - at) / (now - since), loss=loss))
            self._reported = (now, step)

    def samples(self, step: int, path: Path, n_generated: int) -> None:
        _send(self._events, SamplesWritten(step=step, path=str(path), n_generated=n_generated))

    def measured(self, step: int, points: Sequence[Point]) -> None:
        _send(self._events, Measured(step=step, points=tuple(points)))

    def checkpoint(self, step: int, weights: Path, state: Path) -> None:
        _send(self._events, CheckpointWritten(step=step, weights=str(weights), state=str(state)))

    def should_end(self) -> bool:
        return self._commands.end_requested() or (self._deadline is not None and time.monotonic() >= self._deadline)


def _serve(command: RunSegment, events: BinaryIO, commands: CommandReader) -> None:
    """Run one segment; whatever goes wrong becomes a ``Failed`` event, with its traceback."""
    end = _guarded(lambda: _train(command, events, commands))
    if isinstance(end, Shortage):
        shortage = end
        end = _guarded(lambda: _explain(shortage, command, commands))
    assert not isinstance(end, Shortage)
    _send(events, end)


def _guarded(work: Callable[[], SegmentEnded | Failed | Shortage]) -> SegmentEnded | Failed | Shortage:
    try:
        return work()
    except Exception as error:  # noqa: BLE001 - the one place where a run is marked failed
        return _failure(error)


def _train(command: RunSegment, events: BinaryIO, commands: CommandReader) -> SegmentEnded | Shortage:
    started = time.monotonic()
    try:
        spec = KINDS[command.spec["kind"]].model_validate(command.spec)
        device = choose_device(spec.device)
        wait_until_free(device, share=BUSY_SHARE, patience=DEVICE_PATIENCE_SECONDS, ended=commands.end_requested)
        experiment = EXPERIMENTS[spec.kind](spec, device=device, folder=Path(command.folder))
        recorder = EventRecorder(events, commands, command.max_seconds)
        finished = experiment.run(recorder, checkpoint=Path(command.checkpoint) if command.checkpoint else None)
        step = experiment.trainer.step
    except (RuntimeError, MemoryError) as error:
        if not ran_out_of_memory(error):
            raise
        return Shortage.of(error)
    return SegmentEnded(step=step, finished=finished, seconds=time.monotonic() - started)


def _explain(shortage: Shortage, command: RunSegment, commands: CommandReader) -> Failed:
    """Say which field asks for too much memory; for the batch, how large it may be, found out by trying."""
    spec = KINDS[command.spec["kind"]].model_validate(command.spec)
    device = choose_device(spec.device)
    if shortage.field != "batch_size":
        return shortage.failure(spec, device)

    free_memory()  # The trials are other processes on the same device.
    try:
        search = largest_batch(lambda batch: fits(spec, batch), spec.batch, ended=commands.end_requested)
    except TrialError:
        search = BatchSearch(None, ())  # The trial has told standard error why; the run still failed for lack of memory.
    return shortage.batch_failure(spec, device, search)


def _failure(error: Exception) -> Failed:
    code, remedy = _diagnose(error)
    message = error.message if isinstance(error, (DatasetError, DeviceError)) else str(error) or type(error).__name__
    return Failed(code=code, message=message, remedy=remedy, traceback="".join(traceback.format_exception(error)))


def _diagnose(error: Exception) -> tuple[str, str]:
    """A stable code and the remedy for what can be foreseen; the rest is reported as a defect with its traceback."""
    if isinstance(error, DatasetError):
        return "dataset_unavailable", error.remedy
    if isinstance(error, DeviceError):
        return error.code, error.remedy
    if isinstance(error, DivergedError):
        return "diverged", "Lower optimizer.lr; the curves up to here are kept"
    if isinstance(error, CheckpointError):
        return "checkpoint_unusable", "See the message"
    if isinstance(error, OSError):
        return "storage", "Check that the disk has room and the folder can be written"
    return "internal_error", "This is a defect of Tauscope; please report it with the traceback"


def _claim_stdout() -> BinaryIO:
    """Keep the pipe for events alone: whatever else prints goes to standard error."""
    pipe = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return pipe


def _send(pipe: BinaryIO, event: TrainerEvent) -> None:
    pipe.write(event.model_dump_json().encode() + b"\n")
    pipe.flush()


if __name__ == "__main__":
    main()
