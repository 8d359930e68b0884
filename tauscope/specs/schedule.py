"""When a run is measured: a schedule of training steps."""

import math
from abc import ABC, abstractmethod
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from tauscope.specs.model import SpecModel
from tauscope.specs.shown import shown

MAX_STEPS = 10**9  # Any database's integer holds it, and no run comes near it.


class Planned(SpecModel, ABC):
    """A schedule that names the steps at which samples are drawn whatever is found."""

    @abstractmethod
    def steps(self, last: int) -> tuple[int, ...]:
        """The sampled steps, increasing and distinct."""

    def saved(self, last: int) -> tuple[int, ...]:
        """The steps whose weights are kept to draw samples from, and at which the losses are measured; ``steps`` are among them."""
        return self.steps(last)

    def most(self, last: int) -> int:
        """How many steps are sampled at most."""
        return len(self.steps(last))


class LogSpaced(Planned):
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


class Explicit(Planned):
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


class Adaptive(Planned):
    """Sampled coarsely while training, then at saved steps within the intervals of the onsets (``tauscope.analysis.refinement``)."""

    kind: Literal["adaptive"] = "adaptive"
    first: int = shown(5, "First at", "the first measured training step", ge=1, le=MAX_STEPS, unit="steps", advanced=True)
    count: int = shown(8, "Coarse checkpoints", "how many are sampled while training, evenly spaced in log tau", ge=2, le=10_000)
    checkpoints: int = shown(
        61, "Saved checkpoints", "how many keep their weights until both onsets are refined, evenly spaced in log tau", ge=3, le=10_000
    )
    target: float = shown(1.25, "Refine until", "upper over lower end of each onset's interval at which refining stops", gt=1, le=100)
    budget: int = shown(8, "Further checkpoints", "how many saved checkpoints are sampled at most after training", ge=1, le=10_000)

    @model_validator(mode="after")
    def _finer(self) -> Self:
        if self.checkpoints <= self.count:
            raise ValueError(
                f"checkpoints {self.checkpoints} leave nothing between the {self.count} that are sampled while training"
                " | Save more than count, several times as many for instance"
            )
        return self

    def steps(self, last: int) -> tuple[int, ...]:
        """The steps that are sampled while training."""
        return LogSpaced(first=self.first, count=self.count).steps(last)

    def saved(self, last: int) -> tuple[int, ...]:
        """The steps that can be sampled."""
        return tuple(sorted({*self.steps(last), *LogSpaced(first=self.first, count=self.checkpoints).steps(last)}))

    def further(self, last: int) -> frozenset[int]:
        """The steps that are sampled only if that narrows an interval."""
        return frozenset(self.saved(last)) - frozenset(self.steps(last))

    def most(self, last: int) -> int:
        """How many steps are sampled at most."""
        return len(self.steps(last)) + min(self.budget, len(self.further(last)))


FixedSchedule = Annotated[LogSpaced | Explicit, Field(discriminator="kind")]
Schedule = Annotated[LogSpaced | Explicit | Adaptive, Field(discriminator="kind")]
