"""What happens to runs and experiments as others are told of it, who is told, and how the telling went."""

from enum import StrEnum
from typing import Any, Literal

from pydantic import Field, SecretStr, field_validator

from tauscope.contracts.model import Contract
from tauscope.contracts.onsets import Onset

MAX_URL = 2000


class HookEvent(StrEnum):
    """What a hook may be told of; ``test`` is sent on request alone."""

    ONSET_REACHED = "onset.reached"
    WARNING_RAISED = "warning.raised"
    RUN_FINISHED = "run.finished"
    RUN_STOPPED = "run.stopped"
    RUN_FAILED = "run.failed"
    EXPERIMENT_ENDED = "experiment.ended"
    TEST = "test"


SUBSCRIBABLE = tuple(event for event in HookEvent if event is not HookEvent.TEST)


class OnsetNews(Onset):
    """An onset with the number of samples behind each point of its curve. Unconfirmed yet where a reached one has no ``high``."""

    count: int | None = Field(description="samples, or pairs of image and noise, at the last measured step")


class NumberNews(Contract):
    """The last value of a metric with its 95 % interval and count."""

    metric: str
    value: float | None
    low: float | None
    high: float | None
    count: int | None


class ExperimentNews(Contract):
    """The experiment, and how many of its runs are in which state."""

    id: str
    name: str
    runs: dict[str, int]


class RunNews(Contract):
    """A run as it stands: ``numbers`` are those of its last measured step, the control beside its f_mem."""

    id: str
    label: str
    params: dict[str, Any]
    state: str
    step: int = Field(description="training steps done")
    steps: int = Field(description="training steps asked for")
    measured_step: int | None = Field(description="the last measured step")
    reason: str = Field(description="why it failed or stopped, and the remedy")
    onsets: dict[str, OnsetNews]
    numbers: tuple[NumberNews, ...]


class WarningNews(Contract):
    """A warning: a code that stays the same, and words."""

    code: str
    text: str


class Announcement(Contract):
    """The body of a notification. Fields may be added; none changes its meaning within a ``version``."""

    version: Literal[1] = 1
    id: str = Field(description="id of the event, the same for every hook; the header webhook-id names the delivery")
    event: HookEvent
    at: float = Field(description="Unix time, database clock")
    experiment: ExperimentNews | None = None
    run: RunNews | None = None
    onset: str | None = Field(None, description="the one of the run's onsets that the event is about: tau_gen or tau_mem")
    warning: WarningNews | None = None
    links: dict[str, str] = Field({}, description="addresses below that of the dashboard, or whole ones where TAUSCOPE_PUBLIC_URL is set")


class HookCreate(Contract):
    """A receiver and what it is told of."""

    url: str = Field(min_length=8, max_length=MAX_URL, description="http or https address that takes a POST")
    events: tuple[HookEvent, ...] = Field(SUBSCRIBABLE, min_length=1, description="by default all")
    secret: SecretStr | None = Field(None, description="whsec_ and 24 to 64 bytes in base64; made here where it is not given")
    experiment_id: str | None = Field(None, max_length=32, description="only of this experiment; by default of all")
    enabled: bool = True

    @field_validator("events")
    @classmethod
    def _subscribable(cls, events: tuple[HookEvent, ...]) -> tuple[HookEvent, ...]:
        if HookEvent.TEST in events:
            raise ValueError("test is sent on request alone | Leave it out, and POST to the hook's /test")
        return tuple(dict.fromkeys(events))


class HookChange(Contract):
    """Whether a hook is told of anything."""

    enabled: bool


class AttemptNews(Contract):
    """One attempt to deliver; neither ``status`` nor ``error`` while it goes on, or where the sender died."""

    number: int
    at: float = Field(description="Unix time, database clock")
    seconds: float | None
    status: int | None = Field(description="HTTP status of the answer, or SMTP reply code")
    error: str


DeliveryState = Literal["pending", "delivered", "given_up"]


class DeliveryView(Contract):
    """A notification on its way to one hook."""

    id: str = Field(description="the same in every attempt; the header webhook-id")
    hook_id: str
    event_id: str
    event: HookEvent
    run_id: str | None
    experiment_id: str | None
    created_at: float
    state: DeliveryState
    due_at: float = Field(description="when a pending one is tried next")
    reason: str = Field(description="why the last attempt failed, or why it was given up")
    attempts: tuple[AttemptNews, ...]


class HookView(Contract):
    """A hook without its secret, and how its deliveries fare."""

    id: str
    kind: Literal["http", "email"]
    url: str
    events: tuple[HookEvent, ...]
    experiment_id: str | None
    enabled: bool
    created_at: float
    pending: int
    given_up: int
    last: DeliveryView | None = Field(description="the newest that was tried")
    trouble: DeliveryView | None = Field(description="the newest that was given up, or whose last attempt failed")


class HookCreated(HookView):
    """A new hook with its secret, which is not shown again."""

    secret: str
