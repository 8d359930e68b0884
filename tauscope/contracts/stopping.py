"""What a run's policy has decided."""

from pydantic import Field

from tauscope.contracts.model import Contract


class Verdict(Contract):
    """A policy says stop, by the points up to ``step`` and no others."""

    policy: str = Field(description="the policy's name in the spec")
    step: int = Field(description="the checkpoint at which it says so")
    reason: str = Field(description="why the run was stopped, with the numbers it rests on, their intervals and counts")
