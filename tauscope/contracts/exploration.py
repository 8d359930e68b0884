"""An exploration: runs that are chosen one after another where a boundary of the phase diagram is least known, within a budget."""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from tauscope.contracts.model import Contract

MOST_CANDIDATES = 400  # Combinations of n and W.


class BudgetKind(StrEnum):
    """What a budget counts: training steps, or seconds of computing, both summed over the runs."""

    STEPS = "steps"
    SECONDS = "seconds"


class ExplorationState(StrEnum):
    """Whether runs are chosen. Those that were chosen go on in any state."""

    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"


class Action(StrEnum):
    """A run of its own, or more steps for one that has ended."""

    NEW = "new"
    EXTEND = "extend"


class Budget(Contract):
    """How much the chosen runs may spend together; what an extended run had trained before is not counted."""

    kind: BudgetKind
    amount: float = Field(gt=0, le=1e12)

    def words(self, amount: float) -> str:
        """An amount of this budget: ``2,400 steps``."""
        return f"{amount:,.0f} {self.kind.value}"


_N = Annotated[int, Field(ge=2, le=10**9)]
_Width = Annotated[int, Field(ge=8, le=4096)]
_Seed = Annotated[int, Field(ge=0, lt=2**31)]


class Candidates(Contract):
    """The cells that may be run, every n with every W, and the seeds that each may be run with, in the order they are taken."""

    n_train: tuple[_N, ...] = Field(description="training images, at least two values")
    width: tuple[_Width, ...] = Field(min_length=1, description="base widths W")
    seed: tuple[_Seed, ...] = Field(
        (), max_length=20, description="by default the seeds that the experiment has; a cell is run with the next one only to confirm it"
    )

    @field_validator("n_train", "width")
    @classmethod
    def _ascending(cls, values: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(sorted(set(values)))

    @field_validator("n_train")
    @classmethod
    def _several(cls, values: tuple[int, ...]) -> tuple[int, ...]:
        if len(values) < 2:
            raise ValueError("needs at least two values | A boundary lies between two n, so give more of them")
        return values

    @field_validator("seed")
    @classmethod
    def _distinct(cls, seeds: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(dict.fromkeys(seeds))

    @model_validator(mode="after")
    def _not_too_many(self) -> Self:
        cells = len(self.n_train) * len(self.width)
        if cells > MOST_CANDIDATES:
            raise ValueError(f"{cells} cells are more than {MOST_CANDIDATES} | Give fewer values of n or W")
        return self


class ExplorationStart(Contract):
    """What may be run, and for how much."""

    candidates: Candidates
    budget: Budget


class Chosen(Contract):
    """A run as it was chosen, with what it was expected to tell and to cost."""

    action: Action
    n_train: int
    width: int
    seed: int
    steps: int = Field(description="training steps that the run is to have in all")
    more_steps: int = Field(description="steps that this choice adds")
    cost: float = Field(description="expected, in the unit of the budget")
    bits: float = Field(description="expected information about the boundaries, of one run by itself")
    why: str
    run: str | None = Field(None, description="id of the run; none while it is only planned")

    @property
    def cell(self) -> tuple[int, int]:
        """n and W."""
        return self.n_train, self.width

    def words(self, budget: Budget) -> str:
        """``n = 48, W = 16, seed 4: 2,400 steps. n*(p) lies between ...``, with the seconds where they are what counts."""
        given = f"{self.more_steps:,} more steps" if self.action is Action.EXTEND else f"{self.steps:,} steps"
        seconds = f", about {budget.words(self.cost)}" if budget.kind is BudgetKind.SECONDS else ""
        why = self.why[0].upper() + self.why[1:] if self.why[:2] != "n*" else self.why
        return f"n = {self.n_train:,}, W = {self.width:,}, seed {self.seed}: {given}{seconds}. {why} (expected: {self.bits:.1f} bits)"


class Decision(Contract):
    """One decision of an exploration, as it was made; never changed."""

    number: int
    at: float
    chosen: tuple[Chosen, ...]
    cost: float = Field(description="expected cost of what was chosen, in the unit of the budget")
    remaining: float = Field(description="what was left of the budget before it")


class Spent(Contract):
    """Where a budget stands, in its unit."""

    spent: float = Field(description="what the chosen runs have used so far, steps that were computed twice included")
    committed: float = Field(description="what those of them that are not over are expected to use yet")


class Proposal(Contract):
    """The runs to choose next, or none with the reason; ``finished`` where no more will follow."""

    chosen: tuple[Chosen, ...] = ()
    reason: str = ""
    finished: bool = False


class ExplorationView(Contract):
    """An exploration with its log, and what it would choose next as things stand."""

    id: str
    experiment_id: str
    candidates: Candidates
    budget: Budget
    state: ExplorationState
    reason: str = Field(description="why it waits, is paused or is finished; empty while it goes on")
    created_at: float
    spent: Spent
    decisions: tuple[Decision, ...]
    next: Proposal | None = Field(None, description="none where the exploration is finished")


class Explorations(Contract):
    """The explorations of an experiment, newest first; at most one of them is not finished."""

    items: tuple[ExplorationView, ...]


def exploration_sentences(view: ExplorationView) -> list[tuple[str, str]]:
    """The log, oldest first: the number of a decision and a run it chose, in words; then what would be next."""
    told = [(f"{decision.number}", item.words(view.budget)) for decision in view.decisions for item in decision.chosen]
    if view.next is None:
        return told
    planned = [("next", item.words(view.budget)) for item in view.next.chosen]
    return [*told, *(planned or [("next", view.next.reason)])]


ExplorationAct = Literal["pause", "resume", "stop"]
