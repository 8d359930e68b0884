"""The child's side of the pipes to its parent: commands come in, and a run's results go out as events."""

import json
import os
import queue
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from tauscope.contracts.points import Point
from tauscope.execution.events import (
    CheckpointWritten,
    Command,
    DatasetWritten,
    DeferSamples,
    EndSegment,
    EvaluateCheckpoint,
    Measured,
    PredictionsWritten,
    Preparing,
    Progress,
    RunSegment,
    SamplesWritten,
    Sampling,
    TrainerEvent,
    parse_command,
)

PROGRESS_SECONDS = 1.0

Work = RunSegment | EvaluateCheckpoint


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


class PreparationBrokenOffError(Exception):
    """The parent asked for the end while the images were being prepared."""


class PreparationReporter:
    """Tells the parent about once a second how many images are prepared.

    Raises:
        PreparationBrokenOffError: when called after the parent asked for the end.
    """

    def __init__(self, events: BinaryIO, commands: CommandReader) -> None:
        self._events = events
        self._commands = commands
        self._reported = 0.0

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._reported >= PROGRESS_SECONDS:
            send(self._events, Preparing(done=done, total=total))
            self._reported = now
        if self._commands.end_requested():
            raise PreparationBrokenOffError(f"it was asked to end after {done:,} of {total:,} images were prepared")


class EventRecorder:
    """Turns a run's results into events, and a command to end or a spent time budget into the end of the segment."""

    def __init__(self, events: BinaryIO, commands: CommandReader, *, max_seconds: float | None, may_defer: bool) -> None:
        self._events = events
        self._commands = commands
        self._deadline = time.monotonic() + max_seconds if max_seconds is not None else None
        self._may_defer = may_defer
        self._reported: tuple[float, int] | None = None
        self._sampling_reported = 0.0

    def dataset(self, train: Path, held_out: Path, record: Path) -> None:
        remarks = json.loads(record.read_text())["remarks"]
        send(self._events, DatasetWritten(train=str(train), held_out=str(held_out), record=str(record), remarks=remarks))

    def progress(self, step: int, loss: float) -> None:
        now = time.monotonic()
        if self._reported is None:
            self._reported = (now, step)
        since, at = self._reported
        if now - since >= PROGRESS_SECONDS:
            send(self._events, Progress(step=step, steps_per_second=(step - at) / (now - since), loss=loss))
            self._reported = (now, step)

    def defers_samples(self) -> bool:
        return self._may_defer and (self._commands.deferral_requested() or self._commands.end_requested())

    def sampling(self, step: int, share: float) -> bool:
        now = time.monotonic()
        if now - self._sampling_reported >= PROGRESS_SECONDS:
            send(self._events, Sampling(step=step, share=share))
            self._sampling_reported = now
        return not (self._may_defer and self._commands.end_requested())

    def samples(self, step: int, path: Path, n_generated: int) -> None:
        send(self._events, SamplesWritten(step=step, path=str(path), n_generated=n_generated))

    def predictions(self, step: int, path: Path) -> None:
        send(self._events, PredictionsWritten(step=step, path=str(path)))

    def measured(self, step: int, points: Sequence[Point]) -> None:
        send(self._events, Measured(step=step, points=tuple(points)))

    def checkpoint(self, step: int, weights: Path, state: Path, *, unevaluated: bool) -> None:
        send(self._events, CheckpointWritten(step=step, weights=str(weights), state=str(state), unevaluated=unevaluated))

    def should_end(self) -> bool:
        return self._commands.end_requested() or (self._deadline is not None and time.monotonic() >= self._deadline)


def send(pipe: BinaryIO, event: TrainerEvent) -> None:
    """Write one event to the parent."""
    pipe.write(event.model_dump_json().encode() + b"\n")
    pipe.flush()
