"""The trainer child: reads commands from standard input, trains, and writes events to standard output, one JSON a line.

Run as ``python -m tauscope.execution.child``. It exits at end-of-file on standard input, that is, when its parent is gone.
"""

import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import torch

from tauscope.datasets import DatasetError
from tauscope.execution.devices import DeviceError, choose_device, wait_until_free
from tauscope.execution.events import (
    EvaluateCheckpoint,
    EvaluationEnded,
    Failed,
    Ready,
    RunSegment,
    SegmentEnded,
)
from tauscope.execution.leading import RankError, team_of
from tauscope.execution.memory import BatchSearch, Shortage, free_memory, largest_batch, ran_out_of_memory
from tauscope.execution.pipes import CommandReader, EventRecorder, PreparationBrokenOffError, PreparationReporter, Work, send
from tauscope.execution.trial import TrialError, fits
from tauscope.experiments import EXPERIMENTS, Experiment
from tauscope.features import FeatureError
from tauscope.specs import KINDS, ExperimentSpec
from tauscope.training.checkpoints import CheckpointError
from tauscope.training.trainer import DivergedError

# A parent that gives each child a device of its own says so; without it, children may share one.
BUSY_SHARE = float(os.environ.get("TAUSCOPE_DEVICE_BUSY_SHARE", "1"))
DEVICE_PATIENCE_SECONDS = float(os.environ.get("TAUSCOPE_DEVICE_PATIENCE_SECONDS", "60"))

End = SegmentEnded | EvaluationEnded | Failed


def main() -> None:
    """Serve segments until the parent closes the pipe."""
    events = _claim_stdout()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    commands = CommandReader(sys.stdin.buffer)
    send(events, Ready(torch_version=torch.__version__, device=str(choose_device("auto"))))
    while True:
        _serve(commands.next_work(), events, commands)


def _serve(command: Work, events: BinaryIO, commands: CommandReader) -> None:
    """Run a segment or an evaluation; whatever goes wrong becomes a ``Failed`` event, with its traceback."""
    end = _guarded(lambda: _perform(command, events, commands))
    if isinstance(end, Shortage):
        shortage = end
        end = _guarded(lambda: _explain(shortage, command, commands))
    assert not isinstance(end, Shortage)
    send(events, end)


def _guarded(work: Callable[[], End | Shortage]) -> End | Shortage:
    try:
        return work()
    except Exception as error:  # noqa: BLE001 - the one place where a run is marked failed
        return _failure(error)


def _perform(command: Work, events: BinaryIO, commands: CommandReader) -> End | Shortage:
    try:
        return _train(command, events, commands) if isinstance(command, RunSegment) else _evaluate(command, events, commands)
    except (RuntimeError, MemoryError) as error:
        if not ran_out_of_memory(error):
            raise
        return Shortage.of(error)


def _train(command: RunSegment, events: BinaryIO, commands: CommandReader) -> SegmentEnded:
    started = time.monotonic()
    recorder = EventRecorder(events, commands, max_seconds=command.max_seconds, may_defer=command.may_defer)
    with _built(command, events, commands) as experiment:
        finished = experiment.run(recorder, checkpoint=_checkpoint(command))
    return SegmentEnded(step=experiment.step, finished=finished, seconds=time.monotonic() - started)


def _evaluate(command: EvaluateCheckpoint, events: BinaryIO, commands: CommandReader) -> EvaluationEnded:
    started = time.monotonic()
    recorder = EventRecorder(events, commands, max_seconds=None, may_defer=True)
    with _built(command, events, commands) as experiment:
        if command.measured_as is None:
            complete = experiment.evaluate(recorder, _checkpoint(command), step=command.step)
        else:
            complete = experiment.remeasure(recorder, _checkpoint(command), step=command.step, spec=_spec(command.measured_as))
    return EvaluationEnded(step=experiment.step, complete=complete, seconds=time.monotonic() - started)


def _spec(document: dict[str, Any]) -> ExperimentSpec:
    return KINDS[document["kind"]].model_validate(document)


@contextmanager
def _built(command: Work, events: BinaryIO, commands: CommandReader) -> Iterator[Experiment]:
    """The experiment on its device, or with its team on theirs; the team is let go at the end, however it comes."""
    spec = _spec(command.spec)
    device = choose_device(spec.device)
    wait_until_free(device, share=BUSY_SHARE, patience=DEVICE_PATIENCE_SECONDS, ended=commands.end_requested)
    progress = PreparationReporter(events, commands)
    team = team_of(spec, device, _checkpoint(command))
    try:
        yield EXPERIMENTS[spec.kind](spec, device=device, folder=Path(command.folder), progress=progress, team=team)
    finally:
        team.close()


def _checkpoint(command: Work) -> Path | None:
    return Path(command.checkpoint) if command.checkpoint else None


def _explain(shortage: Shortage, command: Work, commands: CommandReader) -> Failed:
    """Say which field asks for too much memory; for the batch, how large it may be, found out by trying."""
    measured_as = command.measured_as if isinstance(command, EvaluateCheckpoint) else None
    spec = _spec(measured_as or command.spec)
    device = choose_device(spec.device)
    if shortage.field != "batch_size" or spec.batch is None:
        return shortage.failure(spec, device)

    free_memory()  # The trials are other processes on the same device.
    try:
        search = largest_batch(lambda batch: fits(spec, batch), spec.batch, ended=commands.end_requested)
    except TrialError:
        search = BatchSearch(None, ())  # The trial has told standard error why; the run still failed for lack of memory.
    return shortage.batch_failure(spec, device, search)


def _failure(error: Exception) -> Failed:
    code, remedy = _diagnose(error)
    message = error.message if isinstance(error, (DatasetError, DeviceError, FeatureError)) else str(error) or type(error).__name__
    return Failed(code=code, message=message, remedy=remedy, traceback="".join(traceback.format_exception(error)))


def _diagnose(error: Exception) -> tuple[str, str]:
    """A stable code and the remedy for what can be foreseen; the rest is reported as a defect with its traceback."""
    if isinstance(error, DatasetError):
        return "dataset_unavailable", error.remedy
    if isinstance(error, FeatureError):
        return "features_unavailable", error.remedy
    if isinstance(error, DeviceError):
        return error.code, error.remedy
    if isinstance(error, PreparationBrokenOffError):
        return "preparation_broken_off", "It begins again when the run goes on"
    if isinstance(error, DivergedError):
        return "diverged", "Lower optimizer.lr or set optimizer.clip_norm; the curves up to here are kept"
    if isinstance(error, RankError):
        return "rank_died", "Resume from the last checkpoint; what the rank said itself is in the log, and a kill may be for memory"
    if type(error).__module__.startswith(("torch._inductor", "torch._dynamo")):
        return "compile_failed", "Set compute.compile to false, or see the traceback: a C++ compiler and its cache must be usable"
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


if __name__ == "__main__":
    main()
