"""Settings of a worker, read from ``TAUSCOPE_*``."""

import os
import re
import socket
import sys
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError, ValidationInfo, field_validator

from tauscope.contracts.runs import DEFAULT_QUEUE, QUEUE_PATTERN
from worker.devices import default_slots
from worker.notification_settings import NotificationSettings


class WorkerSettings(NotificationSettings):
    """How many runs a worker trains at once, and how patient it is."""

    queues: str = Field(DEFAULT_QUEUE, description="queues it serves, separated by commas; it computes runs of no other")
    slots: int = Field(default_factory=default_slots, ge=1, description="runs trained at once; by default one a GPU, else one a CPU core")
    threads_per_slot: int = Field(1, ge=1, description="CPU threads of each trainer child")
    device_busy_share: float = Field(
        0.1,
        ge=0,
        le=1,
        description="share of a GPU's memory that others may hold when a run starts on it; not looked at with more slots than GPUs",
    )
    device_patience_seconds: float = Field(60.0, ge=0, description="how long a run waits for its GPU to be free before it is given back")
    lease_seconds: float = Field(15.0, gt=0, description="a run whose worker was silent for this long may be claimed by another")
    segment_seconds: float = Field(120.0, gt=0, description="a run is given back to the queue after training this long")
    flush_seconds: float = Field(1.0, gt=0, description="how often progress is written and the owner's wish is read")
    end_seconds: float = Field(6.0, gt=0, description="time a child has to write its checkpoint when asked to end; then it is killed")
    defer_samples: Literal["spare", "always", "never"] = Field(
        "spare",
        description="when training leaves a checkpoint's samples to be drawn as work of its own: while a slot of its queue is spare,"
        " always, or only when it is interrupted while drawing",
    )
    silence_seconds: float = Field(900.0, gt=0, description="a child that says nothing for this long is killed, and its run tried again")
    database_patience_seconds: float = Field(
        600.0, gt=0, validate_default=True, description="how long results are held while the database is away"
    )
    store_patience_seconds: float = Field(60.0, gt=0, description="how long storing one file is tried before the run is given back")
    heartbeat_seconds: float = Field(5.0, gt=0, description="how often the worker says that it lives")
    reconcile_seconds: float = Field(2.0, gt=0, description="how often the reconciler looks for runs without a wake-up")
    garbage_seconds: float = Field(300.0, gt=0, description="how often the reconciler removes files that nothing refers to")
    retention: Literal["all", "pruned"] = Field(
        "all",
        description="all: every measured checkpoint stays, unless the run's spec says otherwise;"
        " pruned: the reconciler prunes runs that are over",
    )
    code_version_policy: Literal["refuse", "accept"] = Field(
        "refuse", description="refuse: a run whose checkpoint other code wrote waits for that code; accept: it goes on, and the run says so"
    )
    trainer_module: str = Field("tauscope.execution.child", description="the module a trainer child runs; tests put their own here")

    @field_validator("queues")
    @classmethod
    def _queue_names(cls, queues: str) -> str:
        names = [name.strip() for name in queues.split(",")]
        wrong = [name for name in names if not re.fullmatch(QUEUE_PATTERN, name)]
        if wrong:
            raise ValueError(f"{wrong[0]!r} is no name of a queue | Use names as in default,gpu: letters, digits and hyphens")
        return ",".join(dict.fromkeys(names))

    @field_validator("database_patience_seconds")
    @classmethod
    def _outlived_by_grace(cls, seconds: float, info: ValidationInfo) -> float:
        grace = info.data.get("garbage_grace_seconds", seconds + 1)
        if seconds >= grace:
            raise ValueError(
                f"must be below the {grace:g} s of TAUSCOPE_GARBAGE_GRACE_SECONDS, or files that wait for the database"
                " would be taken for garbage; raise that, or lower this"
            )
        return seconds

    @property
    def queue_names(self) -> tuple[str, ...]:
        """The queues it serves."""
        return tuple(self.queues.split(","))

    @property
    def scratch(self) -> Path:
        """Work folders of running segments; nothing in it outlives the worker that made it."""
        return self.home / "scratch"

    @property
    def worker_name(self) -> str:
        """This process among all workers of the deployment."""
        return f"{socket.gethostname()}-{os.getpid()}"

    @property
    def work_folder(self) -> Path:
        """This process's part of the scratch folder."""
        return self.scratch / self.worker_name

    @property
    def stale_seconds(self) -> float:
        """A wake-up older than this has not been answered, and is sent again if the broker holds too few."""
        return 2 * self.lease_seconds


def read_settings() -> WorkerSettings:
    """The settings of the environment; ends the process with a plain message if they are wrong."""
    try:
        return WorkerSettings()
    except ValidationError as error:
        sys.exit("\n".join(_fault(fault["loc"], fault["msg"], fault["input"]) for fault in error.errors()))


def _fault(location: tuple[int | str, ...], message: str, held: object) -> str:
    name = "_".join(map(str, location))
    # A mail server's address holds a password.
    shown = "" if name == "smtp_url" else f"; it now holds {held!r}"
    return f"TAUSCOPE_{name.upper()}: {message}{shown}"
