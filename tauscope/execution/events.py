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


class Preparing(Contract):
    """About once a second while the images of a data set are prepared for the first time here: how many are done."""

    event: Literal["preparing"] = "preparing"
    done: int
    total: int

    @property
    def words(self) -> str:
        return f"prepares the images of its data set: {100 * self.done / max(self.total, 1):.0f} % of {self.total:,}"


class DatasetWritten(Contract):
    """``train.npz`` and ``held_out.npz`` stand in the work folder (array ``images``, float32 in [0, 1], NCHW;
    of windows of a series in standard units, [window, channel, time], with ``starts`` beside them).

    ``record``, where there is one, is ``dataset.json``: where the images come from, what was done to them, and their digest;
    ``remarks`` are its sentences for whoever reads the results.
    """

    event: Literal["dataset"] = "dataset"
    train: str
    held_out: str
    record: str | None = None
    remarks: tuple[str, ...] = ()


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


class Sampling(Contract):
    """About once a second while samples are drawn: the share of them that is done."""

    event: Literal["sampling"] = "sampling"
    step: int
    share: float


class SamplesWritten(Contract):
    """``samples/<step>.npz``: ``samples``, ``neighbours`` (N, 2), ``distances`` (N, 2)."""

    event: Literal["samples"] = "samples"
    step: int
    path: str
    n_generated: int


class PredictionsWritten(Contract):
    """``predictions/<step>.npz``: what a twin's predictions are compared with (``tauscope.metrics.agreement``)."""

    event: Literal["predictions"] = "predictions"
    step: int
    path: str


class CheckpointWritten(Contract):
    """``checkpoints/<step>.safetensors`` and its ``.json``; every point up to the step has been sent before."""

    event: Literal["checkpoint"] = "checkpoint"
    step: int
    weights: str
    state: str
    unevaluated: bool = False  # Its samples are left to another process.


class SegmentEnded(Contract):
    """The segment is over and its checkpoint written; ``finished`` when the run has all its steps."""

    event: Literal["ended"] = "ended"
    step: int
    finished: bool
    seconds: float


class EvaluationEnded(Contract):
    """The samples of a checkpoint are drawn and measured; ``complete`` is false if that was broken off on request."""

    event: Literal["evaluated"] = "evaluated"
    step: int
    complete: bool
    seconds: float


class Failed(Contract):
    """The run cannot go on: ``code`` is stable, ``message`` and ``remedy`` are for people."""

    event: Literal["failed"] = "failed"
    code: str
    message: str
    remedy: str
    traceback: str


TrainerEvent = (
    Ready
    | Preparing
    | DatasetWritten
    | Progress
    | Measured
    | Sampling
    | SamplesWritten
    | PredictionsWritten
    | CheckpointWritten
    | SegmentEnded
    | EvaluationEnded
    | Failed
)

_EVENTS: TypeAdapter[TrainerEvent] = TypeAdapter(Annotated[TrainerEvent, Field(discriminator="event")])


def parse_event(line: bytes | str) -> TrainerEvent:
    """Read one line of the child's output."""
    return _EVENTS.validate_json(line)


class RunSegment(Contract):
    """Train ``spec`` in ``folder`` from ``checkpoint`` (its ``.json``), for at most ``max_seconds`` unless ``None``.

    ``may_defer``: somebody is there to draw the samples that the segment leaves undrawn when asked to, or to end.
    """

    command: Literal["run"] = "run"
    spec: dict[str, Any]
    folder: str
    checkpoint: str | None = None
    max_seconds: float | None = None
    may_defer: bool = False


class EvaluateCheckpoint(Contract):
    """Draw and measure the samples of ``step`` in ``folder``, from ``checkpoint`` (its ``.json``).

    From an earlier checkpoint, or from none, the steps in between are trained again first. With ``measured_as``, a spec that
    differs from the run's in its measurement, losses and probes are measured again too, and the samples are not reported.
    """

    command: Literal["evaluate"] = "evaluate"
    spec: dict[str, Any]
    folder: str
    checkpoint: str | None
    step: int
    measured_as: dict[str, Any] | None = None


class DeferSamples(Contract):
    """Whether samples that are due are left to another process from now on."""

    command: Literal["defer"] = "defer"
    defer: bool


class EndSegment(Contract):
    """Write a checkpoint and end the segment; break an evaluation off."""

    command: Literal["end"] = "end"


Command = RunSegment | EvaluateCheckpoint | DeferSamples | EndSegment

_COMMANDS: TypeAdapter[Command] = TypeAdapter(Annotated[Command, Field(discriminator="command")])


def parse_command(line: bytes | str) -> Command:
    """Read one line of the child's input."""
    return _COMMANDS.validate_json(line)
