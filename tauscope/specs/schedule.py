"""When a run is measured: a schedule of training steps."""

import math
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, field_validator

from tauscope.specs.model import SpecModel
from tauscope.specs.shown import shown

MAX_STEPS = 10**9  # Any database's integer holds it, and no run comes near it.


class LogSpaced(SpecModel):
    """``count`` steps from ``first`` to the end of training, evenly spaced in log tau."""

    kind: Literal["log_spaced"] = "log_spaced"
    first: int = shown(5, "First at", "the first measured training step", ge=1, le=MAX_STEPS, unit="steps", advanced=True)
    count: int = shown(15, "Number of checkpoints", "how many measurements, the first and the last step included", ge=2, le=10_000)

    def steps(self, last: int) -> tuple[int, ...]:
        """The measured steps, increasing and distinct; rounding may merge the earliest ones."""
        if self.first >= last:
            return (last,)
        ratio = math.log(last / self.first) / (self.count - 1)
        return tuple(sorted({round(self.first * math.exp(ratio * k)) for k in range(self.count)}))


class Explicit(SpecModel):
    """The measured steps, written out."""

    kind: Literal["explicit"] = "explicit"
    at: tuple[Annotated[int, Field(ge=1, le=MAX_STEPS)], ...] = shown(
        ..., "At", "measured training steps, increasing", unit="steps", min_length=1
    )

    @field_validator("at")
    @classmethod
    def _increasing(cls, at: tuple[int, ...]) -> tuple[int, ...]:
        if any(b <= a for a, b in pairwise(at)):
            raise ValueError("steps must increase | Sort them and remove repeats")
        return at

    def steps(self, last: int) -> tuple[int, ...]:
        """The measured steps up to the end of training."""
        return tuple(step for step in self.at if step <= last)


Schedule = Annotated[LogSpaced | Explicit, Field(discriminator="kind")]
