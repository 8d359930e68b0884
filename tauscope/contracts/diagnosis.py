"""What the service says of itself: its parts, queues, code versions and latest failures."""

from typing import Literal

from pydantic import Field

from tauscope.contracts.model import Contract


class CheckView(Contract):
    """One part of the service: whether it serves, what was found, and the remedy where it does not."""

    part: str
    ok: bool
    found: str
    remedy: str = ""


class QueueView(Contract):
    """A queue and what waits in it."""

    name: str
    waiting: int = Field(description="runs that no worker holds yet, paused ones not counted")
    computing: int
    evaluations: int = Field(description="checkpoints whose samples are still to be drawn")
    workers: int = Field(description="workers heard of lately that serve it")


class VersionView(Contract):
    """A code version and who runs it."""

    version: str
    used_by: tuple[str, ...]


class FailureView(Contract):
    """A run that failed, an attempt that ended in trouble and is tried again, or samples that could not be drawn."""

    event_id: int
    run_id: str
    experiment_id: str
    experiment: str
    label: str
    at: float = Field(description="Unix time, database clock")
    kind: Literal["run", "attempt", "samples"] = Field(description="what failed; after an attempt and after samples the run goes on")
    reason: str = Field(description="what happened and the remedy, in one line")
    traceback: str = ""


class DiagnosisView(Contract):
    """Everything a System page shows beside the workers."""

    checks: tuple[CheckView, ...]
    queues: tuple[QueueView, ...]
    versions: tuple[VersionView, ...]
    failures: tuple[FailureView, ...] = Field(description="latest first")
