"""An onset time, its interval and its state; and a fitted exponent with what its interval leaves out."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal, Self

from pydantic import Field, model_validator

from tauscope.contracts.model import Contract

ScalingVariable = Literal["n", "width"]


class OnsetStatus(StrEnum):
    """``censored``: not by the last measured step. ``before_first``: already so at the first measured step."""

    REACHED = "reached"
    CENSORED = "censored"
    BEFORE_FIRST = "before_first"
    UNDEFINED = "undefined"


class Onset(Contract):
    """The first sustained crossing of a level, in training steps; 95 % interval.

    ``value`` is a number if and only if the onset was reached, so that an onset that was not reached cannot be drawn.
    ``high`` is ``None`` where the interval has no upper end (censored); ``low`` is 0 where it has no lower one.
    """

    value: float | None
    low: float | None
    high: float | None
    status: OnsetStatus
    metric: str
    level: float
    reason: str = Field("", description="one clause on the state, e.g. 'not by 450'")

    @model_validator(mode="after")
    def _value_only_if_reached(self) -> Self:
        if (self.value is not None) != (self.status is OnsetStatus.REACHED):
            raise ValueError("an onset has a value exactly when it was reached")
        return self


def was_compared(markers: Mapping[str, Onset]) -> bool:
    """Whether tau_split among a run's markers says more than that there was nothing to compare."""
    found = markers.get("tau_split")
    return found is not None and found.status is not OnsetStatus.UNDEFINED


class PowerLawFit(Contract):
    """tau ~ x^exponent over the runs of a sweep, x being n or W; ``exponent`` is ``None`` with the reason in ``note``."""

    exponent: float | None
    low: float | None
    high: float | None
    points: int = Field(description="onsets that entered as values")
    censored: int = Field(0, description="onsets that entered as lower bounds")
    seeds: int = 1
    prefactor: float | None = Field(None, description="tau at n = 1 of the fitted line, and at W = 1 where both vary")
    variable: ScalingVariable = Field("n", description="what the exponent is of: the training images n, or the base width W")
    jointly: dict[ScalingVariable, float] = Field(
        default_factory=dict, description="exponents of what else varies, fitted at the same time"
    )
    spread: float | None = Field(None, description="run-to-run standard deviation of log tau, where it was fitted")
    note: str = Field(description="what the interval leaves out, or why there is none")
