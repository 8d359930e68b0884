"""A run as pages show it, what happened to it, and what may be asked of it."""

from typing import Annotated, Any

from pydantic import Field

from tauscope.contracts.forecasts import Forecast
from tauscope.contracts.model import Contract
from tauscope.contracts.onsets import Onset
from tauscope.contracts.runs import DEFAULT_QUEUE, DesiredState, RunState
from tauscope.contracts.stopping import Verdict
from tauscope.specs.schedule import MAX_STEPS

Priority = Annotated[int, Field(ge=-1000, le=1000, description="runs of higher priority are computed first")]


class PriorityChange(Contract):
    """The priority that runs shall have from their next segment on."""

    priority: Priority


class RunExtension(Contract):
    """How many training steps a finished or stopped run shall have in all."""

    steps: int = Field(ge=1, le=MAX_STEPS)


class RunView(Contract):
    """A run as pages show it."""

    id: str
    experiment_id: str
    index: int
    label: str
    params: dict[str, Any]
    kind: str = Field("image_ddpm", description="of experiment")
    n_train: int | None
    batch_size: int | None = Field(None, description="images per step")
    width: int | None = Field(None, description="base width W of the network, where it has one")
    state: RunState
    desired: DesiredState
    priority: int = Field(0, description="runs of higher priority are computed first")
    queue: str = Field(DEFAULT_QUEUE, description="only workers that serve this queue compute it")
    waiting: str = Field("", description="what a queued run waits for, other than a free slot, and the remedy")
    step: int = Field(description="training steps done")
    steps: int = Field(description="training steps asked for")
    seconds: float = Field(description="time spent computing, over all attempts")
    steps_per_second: float | None
    reason: str = Field("", description="why it failed or stopped, and the remedy; what it does before it trains")
    epoch: int = Field(description="fencing epoch: grows with every claim")
    seq: int = Field(description="number of the last flush")
    worker: str | None
    updated_at: float | None = Field(description="Unix time of the last news, database clock")
    onsets: dict[str, Onset]
    markers: dict[str, Onset] = Field(
        default_factory=dict, description="what stands beside the onsets: tau_test, tau_split, tau_mem~ema0.1 of further averages"
    )
    final: dict[str, float | int | None] = Field(description="last values; empty in a list that was asked for without them")
    remarks: tuple[str, ...] = Field((), description="what is worth knowing of its images: duplicates, what was left out")
    forecast: Forecast | None = Field(None, description="tau_mem as foretold by what is known now; none once it is measured")
    unevaluated: int = Field(0, description="checkpoints whose samples are still to be drawn and measured")
    twin_id: str | None = Field(None, description="the run on a disjoint slice of the data with whose predictions its own are compared")
    verdict: Verdict | None = Field(None, description="why its policy asked it to stop, if it did")
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
