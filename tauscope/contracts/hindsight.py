"""What a stopping policy would have done to runs that were left to go on."""

from pydantic import Field

from tauscope.contracts.model import Contract
from tauscope.contracts.onsets import Onset
from tauscope.contracts.points import Point
from tauscope.contracts.retention import Recommendation


class Difference(Contract):
    """One value minus another, with its 95 % interval; the errors of the two are taken as independent, which makes it wide."""

    value: float
    low: float
    high: float


class Hindsight(Contract):
    """One run that went on past where a policy says stop, or that the policy would not have stopped."""

    run: str
    label: str
    trained: int = Field(description="steps the run was left to take")
    stopped_at: int | None = Field(None, description="the checkpoint at which the policy says stop; None where it never does")
    reason: str = Field("", description="the policy's words; empty where it never says stop")
    saved: float | None = Field(None, description="share of the steps taken that come after the stop")
    tau_mem: Onset
    in_time: bool | None = Field(None, description="whether the stop is not after the lower end of tau_mem; None where that cannot be told")
    f_mem: Point | None = Field(None, description="at the stop")
    kept: Recommendation = Field(description="the checkpoint to keep, by what was known at the stop")
    best_later: Point | None = Field(None, description="best quality after the stop, not after the lower end of tau_mem, if any")
    cost: Difference | None = Field(None, description="quality of the checkpoint kept minus that best; above 0 it is worse")


class HindsightReport(Contract):
    """A policy over the runs of an experiment."""

    experiment: str
    policy: dict[str, object]
    runs: tuple[Hindsight, ...]
