"""What a trainer child tells its parent, and what the parent asks of it: one JSON object a line over pipes. Torch-free."""

from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from tauscope.contracts.model import Contract
from tauscope.contracts.points import Point


class Ready(Contract):
    """The child has loaded PyTorch and waits for a segment."""

    event: Literal["ready"] = "ready"
    torch_version: str
    device: str


class DatasetWritten(Contract):
    """``train.npz`` and ``held_out.npz`` stand in the work folder (array ``images``, float32 in [0, 1], NCHW)."""

    event: Literal["dataset"] = "dataset"
    train: str
    held_out: str


class Progress(Contract):
    """About once a second: training steps done so far in the run."""

    event: Literal["progress"] = "progress"
    step: int
    steps_per_second: float | None
    loss: float | None


class Measured(Contract):
    """All points of one step."""

    event: Literal["measured"] = "measured"
    step: int
    points: tuple[Point, ...]


class SamplesWritten(Contract):
    """``samples/<step>.npz``: ``samples``, ``neighbours`` (N, 2), ``distances`` (N, 2)."""

    event: Literal["samples"] = "samples"
    step: int
    path: str
    n_generated: int


class CheckpointWritten(Contract):
    """``checkpoints/<step>.safetensors`` and its ``.json``; every point up to the step has been sent before."""

    event: Literal["checkpoint"] = "checkpoint"
    step: int
    weights: str
    state: str


class SegmentEnded(Contract):
    """The segment is over and its checkpoint written; ``finished`` when the run has all its steps."""

    event: Literal["ended"] = "ended"
    step: int
    finished: bool
    seconds: float


class Failed(Contract):
    """The run cannot go on: ``code`` is stable, ``message`` and ``remedy`` are for people."""

    event: Literal["failed"] = "failed"
    code: str
    message: str
    remedy: str
    traceback: str


TrainerEvent = Ready | DatasetWritten | Progress | Measured | SamplesWritten | CheckpointWritten | SegmentEnded | Failed

_EVENTS: TypeAdapter[TrainerEvent] = TypeAdapter(Annotated[TrainerEvent, Field(discriminator="event")])


def parse_event(line: bytes | str) -> TrainerEvent:
    """Read one line of the child's output."""
    return _EVENTS.validate_json(line)


class RunSegment(Contract):
    """Train ``spec`` in ``folder`` from ``checkpoint`` (its ``.json``), for at most ``max_seconds`` unless ``None``."""

    command: Literal["run"] = "run"
    spec: dict[str, Any]
    folder: str
    checkpoint: str | None = None
    max_seconds: float | None = None


class EndSegment(Contract):
    """Write a checkpoint and end the segment."""

    command: Literal["end"] = "end"


Command = RunSegment | EndSegment

_COMMANDS: TypeAdapter[Command] = TypeAdapter(Annotated[Command, Field(discriminator="command")])


def parse_command(line: bytes | str) -> Command:
    """Read one line of the child's input."""
    return _COMMANDS.validate_json(line)
