"""The phase diagram over (n, p): what was seen at each cell, and where one state gives way to another.

p is the number of trained parameters. After Bonnaire et al. 2025 (arXiv:2505.17638), Figure 3.
"""

from enum import StrEnum
from typing import Literal, Self

from pydantic import Field, model_validator

from tauscope.contracts.model import Contract
from tauscope.contracts.onsets import Onset

BoundaryKind = Literal["window", "plateau"]


class CellState(StrEnum):
    """What was seen at a cell. ``plateau`` alone supports generalization by architecture; ``censored`` says nothing of what comes later."""

    MEMORIZES = "memorizes"
    WINDOW = "window"
    CENSORED = "censored"
    PLATEAU = "plateau"
    UNDEFINED = "undefined"


class Interval(Contract):
    """A number in training steps with its 95 % interval."""

    value: float
    low: float
    high: float


class PhaseRun(Contract):
    """A run as its cell counts it."""

    run: str
    state: CellState
    reason: str
    steps: int = Field(description="the last step at which f_mem was measured")


class PhaseCell(Contract):
    """One (n, p) with its runs. ``reason`` gives the numbers that its state rests on, with intervals and counts.

    A cell's onset over several runs: the geometric mean where all reached it, between the outermost ends of their intervals.
    """

    n: int = Field(description="training images")
    parameters: int = Field(description="trained parameters p")
    width: int = Field(description="base width W")
    runs: tuple[str, ...] = Field(description="ids, those that are not judged included")
    judged: tuple[PhaseRun, ...] = Field((), description="each run's own state, in the order of `runs`")
    state: CellState
    settled: bool = Field(True, description="false where the intervals leave another state possible, or runs differ")
    under_way: int = Field(0, description="runs that wait, compute or are paused: the state may change")
    reason: str
    steps: int = Field(description="the largest step at which f_mem was measured")
    tau_gen: Onset | None = None
    tau_mem: Onset | None = None
    predicted_tau_mem: Interval | None = Field(None, description="where tau_mem was not reached: the law of the other cells")
    prediction: str = Field("", description="what the prediction rests on, or why there is none")


class Boundary(Contract):
    """Where along n, at one p, memorizing gives way to a window (``window``), or copying to a plateau (``plateau``: n*(p)).

    ``low`` is the largest n that lies clearly before the boundary, ``high`` the smallest clearly beyond it; with one of them alone the
    boundary is not identified, and the other end is open. ``value``, their geometric middle, is given where both are.
    """

    kind: BoundaryKind
    parameters: int
    width: int
    identified: bool
    value: float | None
    low: float | None
    high: float | None
    reason: str

    @model_validator(mode="after")
    def _whole_or_open(self) -> Self:
        ends = (self.low, self.high)
        if self.identified != (None not in ends) or self.identified != (self.value is not None):
            raise ValueError("a boundary has a value exactly when it has both ends, and is then identified")
        return self


class PhaseDiagram(Contract):
    """The cells of an experiment by p, then n; ``missing`` says why there are none, or what keeps them from being a diagram."""

    experiment: str
    cells: tuple[PhaseCell, ...]
    boundaries: tuple[Boundary, ...]
    definitions: dict[str, str] = Field(description="state or boundary to one sentence on what it means")
    missing: str = ""
