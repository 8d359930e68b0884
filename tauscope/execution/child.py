"""The trainer child: reads commands from standard input, trains, and writes events to standard output, one JSON a line.

Run as ``python -m tauscope.execution.child``. It exits at end-of-file on standard input, that is, when its parent is gone.
"""

import os
import queue
import sys
import threading
import time
import traceback
from collections.abc import Sequence
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
    DeferSamples,
    EndSegment,
    EvaluateCheckpoint,
    EvaluationEnded,
    Failed,
    Measured,
    Progress,
    Ready,
    RunSegment,
    SamplesWritten,
    Sampling,
    SegmentEnded,
    TrainerEvent,
    parse_command,
)
from tauscope.experiments import EXPERIMENTS, ImageDdpmExperiment
from tauscope.specs import KINDS
from tauscope.training.checkpoints import CheckpointError
from tauscope.training.trainer import DivergedError

PROGRESS_SECONDS = 1.0
# A parent that gives each child a device of its own says so; without it, children may share one.
BUSY_SHARE = float(os.environ.get("TAUSCOPE_DEVICE_BUSY_SHARE", "1"))
DEVICE_PATIENCE_SECONDS = float(os.environ.get("TAUSCOPE_DEVICE_PATIENCE_SECONDS", "60"))

Work = RunSegment | EvaluateCheckpoint


def main() -> None:
    """Serve segments until the parent closes the pipe."""
    events = _claim_stdout()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    commands = CommandReader(sys.stdin.buffer)
    _send(events, Ready(torch_version=torch.__version__, device=str(choose_device("auto"))))
    while True:
        _serve(commands.next_work(), events, commands)


class CommandReader:
    """Reads the parent's commands in a thread, so that its death is noticed in the middle of a step."""

    def __init__(self, pipe: BinaryIO) -> None:
        self._work: queue.Queue[Work] = queue.Queue()
        self._end = threading.Event()
        self._defer = threading.Event()
        threading.Thread(target=self._read, args=(pipe,), daemon=True).start()

    def _read(self, pipe: BinaryIO) -> None:
        for line in pipe:
            command: Command = parse_command(line)
            match command:
                case EndSegment():
                    self._end.set()
                case DeferSamples():
                    (self._defer.set if command.defer else self._defer.clear)()
                case _:
                    self._end.clear()
                    self._defer.clear()
                    self._work.put(command)
        # No clean-up: the parent is gone, and a device must not be held for a lost run.
        os._exit(0)

    def next_work(self) -> "Work":
        return self._work.get()

    def end_requested(self) -> bool:
        return self._end.is_set()

    def deferral_requested(self) -> bool:
        return self._defer.is_set()


class EventRecorder:
    """Turns a run's results into events, and a command to end or a spent time budget into the end of the segment."""

    def __init__(self, events: BinaryIO, commands: CommandReader, *, max_seconds: float | None, may_defer: bool) -> None:
        self._events = events
        self._commands = commands
        self._deadline = time.monotonic() + max_seconds if max_seconds is not None else None
        self._may_defer = may_defer
        self._reported: tuple[float, int] | None = None
        self._sampling_reported = 0.0

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

    def defers_samples(self) -> bool:
        return self._may_defer and (self._commands.deferral_requested() or self._commands.end_requested())

    def sampling(self, step: int, share: float) -> bool:
        now = time.monotonic()
        if now - self._sampling_reported >= PROGRESS_SECONDS:
            _send(self._events, Sampling(step=step, share=share))
            self._sampling_reported = now
        return not (self._may_defer and self._commands.end_requested())

    def samples(self, step: int, path: Path, n_generated: int) -> None:
        _send(self._events, SamplesWritten(step=step, path=str(path), n_generated=n_generated))

    def measured(self, step: int, points: Sequence[Point]) -> None:
        _send(self._events, Measured(step=step, points=tuple(points)))

    def checkpoint(self, step: int, weights: Path, state: Path, *, unevaluated: bool) -> None:
        _send(self._events, CheckpointWritten(step=step, weights=str(weights), state=str(state), unevaluated=unevaluated))

    def should_end(self) -> bool:
        return self._commands.end_requested() or (self._deadline is not None and time.monotonic() >= self._deadline)


def _serve(command: Work, events: BinaryIO, commands: CommandReader) -> None:
    """Run a segment or an evaluation; whatever goes wrong becomes a ``Failed`` event, with its traceback."""
    try:
        end = _train(command, events, commands) if isinstance(command, RunSegment) else _evaluate(command, events, commands)
    except Exception as error:  # noqa: BLE001 - the one place where a run is marked failed
        end = _failure(error)
    _send(events, end)


def _train(command: RunSegment, events: BinaryIO, commands: CommandReader) -> TrainerEvent:
    started = time.monotonic()
    experiment = _build(command, commands)
    recorder = EventRecorder(events, commands, max_seconds=command.max_seconds, may_defer=command.may_defer)
    finished = experiment.run(recorder, checkpoint=Path(command.checkpoint) if command.checkpoint else None)
    return SegmentEnded(step=experiment.trainer.step, finished=finished, seconds=time.monotonic() - started)


def _evaluate(command: EvaluateCheckpoint, events: BinaryIO, commands: CommandReader) -> TrainerEvent:
    started = time.monotonic()
    experiment = _build(command, commands)
    recorder = EventRecorder(events, commands, max_seconds=None, may_defer=True)
    complete = experiment.evaluate(recorder, Path(command.checkpoint))
    return EvaluationEnded(step=experiment.trainer.step, complete=complete, seconds=time.monotonic() - started)


def _build(command: Work, commands: CommandReader) -> ImageDdpmExperiment:
    spec = KINDS[command.spec["kind"]].model_validate(command.spec)
    device = choose_device(spec.device)
    wait_until_free(device, share=BUSY_SHARE, patience=DEVICE_PATIENCE_SECONDS, ended=commands.end_requested)
    return EXPERIMENTS[spec.kind](spec, device=device, folder=Path(command.folder))


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
    if isinstance(error, torch.OutOfMemoryError):
        return "out_of_memory", "Lower batch_size, network.base_width or measurement.n_generated"
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
