"""A landscape with known boundaries, and runs that are told apart as the phase diagram tells them apart."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from tauscope.analysis.exploration_plans import HeldRun
from tauscope.analysis.phase_boundaries import boundaries
from tauscope.analysis.phase_prediction import predict_tau_mem
from tauscope.analysis.phase_states import TIMES_PREDICTED
from tauscope.contracts.onsets import Onset, OnsetStatus
from tauscope.contracts.phase import CellState, PhaseCell, PhaseDiagram, PhaseRun
from tauscope.contracts.summary import RunSummary

SCATTER = 0.08  # Of log tau between seeds, as on digits.
ERROR = 1.15  # Half the interval of an onset, as a factor.


@dataclass
class Landscape:
    """tau_mem = c n^a W^b below n*(W), never above; tau_gen the same for every n.

    Both edges of the window in n: where tau_mem is tau_gen, and n* = first * (W / 8)^rise.
    """

    exponent: float = 1.2
    width_exponent: float = -0.7
    prefactor: float = 25.0
    tau_gen: float = 300.0
    first: float = 60.0
    rise: float = 1.0
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))

    def edges(self, width: int) -> tuple[float, float]:
        """log n of the window's edge and of n*."""
        scale = self.prefactor * width**self.width_exponent
        never = math.log(self.first) + self.rise * math.log(width / 8)
        return min(never, math.log(self.tau_gen * ERROR**2 / scale) / self.exponent), never  # A plateau lies beyond the window's edge too.

    def tau_mem(self, n: int, width: int) -> float | None:
        scatter = self.rng.normal(0, SCATTER)
        if math.log(n) + self.rng.normal(0, SCATTER) > self.edges(width)[1]:
            return None
        return float(self.prefactor * n**self.exponent * width**self.width_exponent * math.exp(scatter))


@dataclass
class Made:
    """A run with what it will show, were it trained for ever."""

    run: HeldRun
    tau_mem: float | None
    tau_gen: float


@dataclass
class Store:
    """The runs of an experiment on a landscape."""

    land: Landscape
    made: list[Made] = field(default_factory=list)
    spent: float = 0.0
    extended: list[tuple[int, int]] = field(default_factory=list)
    _told: tuple[tuple[HeldRun, ...], PhaseDiagram] | None = None

    def new(self, n: int, width: int, seed: int, steps: int) -> None:
        run = HeldRun(f"run-{len(self.made)}", n, width, seed, steps, over=True, finished=True, flat=True)
        gen = self.land.tau_gen * math.exp(self.land.rng.normal(0, SCATTER))
        self.made.append(Made(run, self.land.tau_mem(n, width), gen))
        self.spent += steps

    def extend(self, run_id: str, steps: int) -> None:
        made = next(item for item in self.made if item.run.run == run_id)
        self.spent += steps - made.run.steps
        self.extended.append((made.run.n, made.run.width))
        made.run = made.run._replace(steps=steps)

    @property
    def held(self) -> list[HeldRun]:
        return [made.run for made in self.made]

    def diagram(self) -> PhaseDiagram:
        if self._told is not None and self._told[0] == tuple(self.held):
            return self._told[1]
        places = sorted({(made.run.width, made.run.n) for made in self.made})
        cells = tuple(self._cell(n, width) for width, n in places)
        found = PhaseDiagram(experiment="simulated", cells=cells, boundaries=boundaries(cells), definitions={})
        self._told = (tuple(self.held), found)
        return found

    def _cell(self, n: int, width: int) -> PhaseCell:
        runs = [made for made in self.made if (made.run.n, made.run.width) == (n, width)]
        others = [_summary(made) for made in self.made if (made.run.n, made.run.width) != (n, width) and made.tau_mem is not None]
        copied = [made for made in runs if _mem(made).status is OnsetStatus.REACHED]
        predicted = None if len(copied) == len(runs) else predict_tau_mem(others, n, width).interval
        judged = tuple(PhaseRun(run=made.run.run, state=_state(made, predicted), reason="", steps=made.run.steps) for made in runs)
        states = {told.state for told in judged}
        one = copied[0] if copied else runs[0]
        return PhaseCell(
            n=n,
            parameters=width**2,
            width=width,
            runs=tuple(made.run.run for made in runs),
            judged=judged,
            state=states.pop() if len(states) == 1 else CellState.UNDEFINED,
            reason="",
            steps=max(made.run.steps for made in runs),
            tau_gen=_gen(one),
            tau_mem=_mem(one),
            predicted_tau_mem=predicted,
        )


def _onset(tau: float | None, steps: int, metric: str) -> Onset:
    if tau is None or tau * ERROR > steps:
        return Onset(value=None, low=float(steps), high=None, status=OnsetStatus.CENSORED, metric=metric, level=0.25)
    return Onset(value=tau, low=tau / ERROR, high=tau * ERROR, status=OnsetStatus.REACHED, metric=metric, level=0.25)


def _mem(made: Made) -> Onset:
    return _onset(made.tau_mem, made.run.steps, "f_mem")


def _gen(made: Made) -> Onset:
    return _onset(made.tau_gen, made.run.steps, "loss_held_out@100")


def _state(made: Made, predicted: object) -> CellState:
    gen, mem = _gen(made), _mem(made)
    if mem.status is OnsetStatus.REACHED:
        good = gen.high is not None and mem.low is not None and gen.high < mem.low
        return CellState.WINDOW if good else CellState.MEMORIZES
    high = getattr(predicted, "high", None)
    flat = high is not None and made.run.steps >= TIMES_PREDICTED * high and gen.status is OnsetStatus.REACHED
    return CellState.PLATEAU if flat else CellState.CENSORED


def _summary(made: Made) -> RunSummary:
    return RunSummary(
        id=made.run.run,
        params={"n_train": made.run.n, "width": made.run.width},
        state="finished",
        onsets={"tau_gen": _gen(made), "tau_mem": _mem(made)},
        final={},
        seconds=1.0,
    )


def grid_of(first: int, last: int, count: int) -> Sequence[int]:
    """n evenly spaced in log n."""
    return sorted({round(first * (last / first) ** (k / (count - 1))) for k in range(count)})
