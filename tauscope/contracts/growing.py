"""Further runs for an experiment that was launched before."""

from typing import Any

from pydantic import Field

from tauscope.contracts.experiments import Queue
from tauscope.contracts.model import Contract
from tauscope.contracts.run_views import Priority
from tauscope.contracts.runs import DEFAULT_QUEUE


class SweepGrowth(Contract):
    """The larger sweep: by default the experiment's own, with ``settings`` replaced as the CLI's ``--set`` does."""

    sweep: dict[str, Any] | None = None
    settings: dict[str, Any] = Field(default_factory=dict)
    priority: Priority = 0
    queue: Queue = DEFAULT_QUEUE
