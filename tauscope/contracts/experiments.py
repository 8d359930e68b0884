"""Requests and responses of the HTTP interface."""

from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from tauscope.contracts.datasets import DataRemarks
from tauscope.contracts.launching import Estimate
from tauscope.contracts.model import Contract
from tauscope.contracts.onsets import PowerLawFit
from tauscope.contracts.run_views import Priority, RunView
from tauscope.contracts.runs import DEFAULT_QUEUE, QUEUE_PATTERN, RunState

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


class PlannedRun(Contract):
    """A run that a sweep would start."""

    index: int
    label: str
    params: dict[str, Any]
    spec: dict[str, Any]
    cost: float = Field(description="expected work in network evaluations of one image")
    requirements: tuple[str, ...] = Field((), description="what this machine lacks for it, each with the remedy")
    data: DataRemarks | None = Field(None, description="duplicates among its images, where that is quickly known")


class Plan(Contract):
    """A validated sweep and its runs, not started."""

    sweep: dict[str, Any]
    runs: tuple[PlannedRun, ...]
    estimate: Estimate | None = None
    estimate_note: str = Field("", description="why there is no estimate, or what it leaves out")


class PresetView(Contract):
    """A preset with its YAML text and what it would start."""

    name: str
    summary: str
    yaml: str
    n_runs: int
    kind: str = ""
    requirements: tuple[str, ...] = ()
    estimate: Estimate | None = None
    measured: str | None = Field(None, description="id of the newest experiment here that finished this very sweep")
    measured_seconds: float | None = Field(None, description="how long that one took from launch to end")


class ExperimentView(Contract):
    """An experiment with its runs and fits."""

    id: str
    name: str
    summary: str
    state: RunState = Field(description="running while any run is; failed if any run failed")
    created_at: float
    tags: tuple[str, ...] = ()
    archived: bool = Field(False, description="put away: listed only when asked for")
    code_version: str
    sweep: dict[str, Any]
    runs: tuple[RunView, ...]
    fits: dict[str, PowerLawFit]
    server_time: float = Field(description="database clock, to tell how old the news is")


class ExperimentPage(Contract):
    """A page of experiments, newest first."""

    items: tuple[ExperimentView, ...]
    next_cursor: str | None
    total: int = Field(0, description="how many there are on all pages")
