"""The state of the service and of its workers, and signing in."""

from typing import Literal

from pydantic import Field, SecretStr

from tauscope.contracts.model import Contract
from tauscope.contracts.storage import StorageView


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
