"""What a run of the phase diagram costs: its steps, or the seconds that runs like it took."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from tauscope.analysis.exploration import Cost
from tauscope.contracts.exploration import BudgetKind
from tauscope.specs import ExperimentSpec


class Timed(NamedTuple):
    """Work of one width that was timed: in the units of a spec's ``cost``, and in seconds."""

    width: int
    work: float
    seconds: float


def cost_in(kind: BudgetKind, base: ExperimentSpec, timed: Sequence[Timed]) -> Cost:
    """What training from one step to another costs, measurement included where seconds are counted."""
    if kind is BudgetKind.STEPS:
        return lambda n, width, start, end: float(end - start)
    return lambda n, width, start, end: _seconds(base, timed, n=n, width=width, start=start, end=end)


def _seconds(base: ExperimentSpec, timed: Sequence[Timed], *, n: int, width: int, start: int, end: int) -> float | None:
    """By the slowest run of the width. From another width in proportion to W^2, as the multiplications of a convolution are, or as it is
    where that one is wider: too much rather than too little, since a budget is not to be exceeded."""
    near = min((abs(math.log(item.width / width)) for item in timed if item.seconds > 0 and item.work > 0), default=None)
    rates = [
        item.seconds / item.work * max(1.0, (width / item.width) ** 2)
        for item in timed
        if item.seconds > 0 and item.work > 0 and abs(math.log(item.width / width)) == near
    ]
    return max(rates) * (_work(base, n, end) - _work(base, n, start)) if rates else None


def _work(base: ExperimentSpec, n: int, steps: int) -> float:
    return base.with_n(n).model_copy(update={"steps": steps}).cost() if steps else 0.0
