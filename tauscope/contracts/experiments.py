"""Requests and responses of the HTTP interface."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, SecretStr, model_validator

from tauscope.contracts.model import Contract
from tauscope.contracts.onsets import Onset, PowerLawFit
from tauscope.contracts.points import MetricInfo
from tauscope.contracts.runs import DEFAULT_QUEUE, QUEUE_PATTERN, DesiredState, RunState
from tauscope.contracts.storage import StorageView
from tauscope.specs.schedule import MAX_STEPS

Priority = Annotated[int, Field(ge=-1000, le=1000, description="runs of higher priority are computed first")]

Queue = Annotated[str, Field(pattern=QUEUE_PATTERN, description="only workers that serve this queue compute the runs")]


class ExperimentCreate(Contract):
    """Launch a preset or a sweep; ``settings`` replace fields as the CLI's ``--set`` does."""

    preset: str | None = None
    sweep: dict[str, Any] | None = None
    settings: dict[str, Any] = Field(default_factory=dict)
    priority: Priority = 0
    queue: Queue = DEFAULT_QUEUE

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.preset is None) == (self.sweep is None):
            raise ValueError("needs exactly one of preset and sweep | Remove one of them")
        return self


class PriorityChange(Contract):
    """The priority that runs shall have from their next segment on."""

    priority: Priority


class RunExtension(Contract):
    """How many training steps a finished or stopped run shall have in all."""

    steps: int = Field(ge=1, le=MAX_STEPS)


class PlannedRun(Contract):
    """A run that a sweep would start."""

    index: int
    label: str
    params: dict[str, Any]
    spec: dict[str, Any]
    cost: float = Field(description="expected work in network evaluations of one image")
    requirements: tuple[str, ...] = Field((), description="what this machine lacks for it, each with the remedy")


class Plan(Contract):
    """A validated sweep and its runs, not started."""

    sweep: dict[str, Any]
    runs: tuple[PlannedRun, ...]


class PresetView(Contract):
    """A preset with its YAML text and what it would start."""

    name: str
    summary: str
    yaml: str
    n_runs: int
    requirements: tuple[str, ...] = ()


class DatasetView(Contract):
    """A data set that specs can name."""

    name: str
    description: str
    size: str
    n_images: int | None
    licence: str
    source: str
    available: bool
    remedy: str = Field("", description="what to do where it is not available")


class RunView(Contract):
    """A run as pages show it."""

    id: str
    experiment_id: str
    index: int
    label: str
    params: dict[str, Any]
    n_train: int | None
    state: RunState
    desired: DesiredState
    priority: int = Field(0, description="runs of higher priority are computed first")
    queue: str = Field(DEFAULT_QUEUE, description="only workers that serve this queue compute it")
    waiting: str = Field("", description="what a queued run waits for, other than a free slot, and the remedy")
    step: int = Field(description="training steps done")
    steps: int = Field(description="training steps asked for")
    seconds: float = Field(description="time spent computing, over all attempts")
    steps_per_second: float | None
    reason: str = Field("", description="why it failed or stopped, and the remedy")
    epoch: int = Field(description="fencing epoch: grows with every claim")
    seq: int = Field(description="number of the last flush")
    worker: str | None
    updated_at: float | None = Field(description="Unix time of the last news, database clock")
    onsets: dict[str, Onset]
    final: dict[str, float | int | None]
    unevaluated: int = Field(0, description="checkpoints whose samples are still to be drawn and measured")
    code_note: str = Field("", description="which steps were computed by which code version, where it changed under way")


class RunEventView(Contract):
    """Why a run changed its state; events come in the order of ``id``."""

    id: int
    seq: int = Field(description="the flush it happened in")
    at: float = Field(description="Unix time, database clock")
    name: str
    detail: str


class AttemptView(Contract):
    """One claim of a run: who computed from which step to which, and how it ended."""

    epoch: int = Field(description="fencing epoch; attempts are counted by it")
    worker: str
    code_version: str
    resumed_version: str | None = Field(description="the code that wrote the checkpoint it resumed from")
    started_at: float = Field(description="Unix time, database clock")
    ended_at: float | None
    from_step: int
    to_step: int
    rewound: int = Field(description="steps of the attempt before that it had to compute again")
    outcome: str = Field(description="how it ended; empty while it goes on")


class ExperimentView(Contract):
    """An experiment with its runs and fits."""

    id: str
    name: str
    summary: str
    state: RunState = Field(description="running while any run is; failed if any run failed")
    created_at: float
    code_version: str
    sweep: dict[str, Any]
    runs: tuple[RunView, ...]
    fits: dict[str, PowerLawFit]
    server_time: float = Field(description="database clock, to tell how old the news is")


class ExperimentPage(Contract):
    """A page of experiments, newest first."""

    items: tuple[ExperimentView, ...]
    next_cursor: str | None


class Series(Contract):
    """One metric of one run, columnar, ordered by step."""

    step: tuple[int, ...]
    value: tuple[float | None, ...]
    low: tuple[float | None, ...]
    high: tuple[float | None, ...]
    count: tuple[int | None, ...]
    reason: tuple[str | None, ...]


class Curves(Contract):
    """All curves of an experiment; ``cursor`` is where the event stream goes on from here."""

    experiment_id: str
    cursor: str
    metrics: dict[str, MetricInfo]
    runs: dict[str, dict[str, Series]] = Field(description="run id to metric to series")


class SamplesView(Contract):
    """The generated samples of one checkpoint with their two nearest distinct training images."""

    run_id: str
    step: int
    steps: tuple[int, ...] = Field(description="every step that has samples")
    n_generated: int
    n_copies: int
    f_mem: float
    f_mem_low: float
    f_mem_high: float
    f_mem_control: float
    f_mem_control_low: float
    f_mem_control_high: float
    control_count: int
    gap_threshold: float
    gap_ratio: tuple[float, ...]
    is_copy: tuple[bool, ...]
    neighbours: tuple[tuple[int, int], ...] = Field(description="indices into the run's training set")
    distances: tuple[tuple[float, float], ...] = Field(description="Euclidean, pixels in [0, 1]")


class WorkerView(Contract):
    """A worker process and when it was last heard of."""

    name: str
    device: str
    slots: int
    busy: int
    seen_at: float
    queues: tuple[str, ...] = ()
    code_version: str = ""
    code_version_policy: str = Field("refuse", description="whether it goes on from checkpoints that other code wrote: refuse or accept")
    draining: bool = Field(False, description="whether it was asked to take no further segment")


class SystemView(Contract):
    """The state of the service."""

    version: str
    database: str
    queued: int
    running: int
    workers: tuple[WorkerView, ...]
    server_time: float
    storage: StorageView = StorageView()


class Status(Contract):
    """The answer to a health or readiness check."""

    status: Literal["up", "ready"]


class SessionCreate(Contract):
    """The token, in exchange for a cookie."""

    token: SecretStr


class FieldError(Contract):
    """One field at fault in a request."""

    path: str
    message: str
    remedy: str


class Problem(Contract):
    """An error (RFC 9457, application/problem+json)."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    remedy: str = ""
    errors: tuple[FieldError, ...] = ()
