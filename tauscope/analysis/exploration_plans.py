"""What a run at a cell of the phase diagram would be: a new one or further steps, with which seed, and how long."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tauscope.analysis.phase_states import TIMES_PREDICTED
from tauscope.analysis.run_lengths import expected_tau_mem, steps_to_rule_out, steps_to_see
from tauscope.contracts.exploration import Action
from tauscope.contracts.phase import CellState, Interval, PhaseCell
from tauscope.contracts.wording import number

Place = tuple[int, int]
"""n and W."""


class HeldRun(NamedTuple):
    """A run that the experiment has. ``over``: it has ended; ``finished``: it ended by its steps, so that more may be given to it."""

    run: str
    n: int
    width: int
    seed: int
    steps: int
    over: bool
    finished: bool
    flat: bool


class Plan(NamedTuple):
    """A run before it is priced."""

    action: Action
    n: int
    width: int
    seed: int
    steps: int
    from_steps: int
    tau_mem: Interval | None
    ruling_out: bool
    run: str | None

    @property
    def why(self) -> str:
        """Why so many steps."""
        if self.tau_mem is None:
            return f"{self.steps:,} steps in proportion to n, as no tau_mem is known yet"
        upper = f"the upper 95 % end of the expected tau_mem, {number(self.tau_mem.high)}"
        if self.ruling_out:
            return f"copying not seen by {self.from_steps:,}, so up to {self.steps:,} steps, {TIMES_PREDICTED} times {upper} and a margin"
        seen = f"copying not seen by {self.from_steps:,}, so up to" if self.from_steps else "up to"
        return f"{seen} {self.steps:,} steps, to see copying ({upper})"


@dataclass(frozen=True)
class Planner:
    """The cells and runs that there are, and the seeds that a cell may be run with."""

    cells: Mapping[Place, PhaseCell]
    held: Mapping[Place, Sequence[HeldRun]]
    seeds: Sequence[int]

    def plan(self, n: int, width: int) -> Plan | None:
        """What a run at this cell would be: more steps for one that is censored, else the next seed."""
        cell, held = self.cells.get((n, width)), self.held.get((n, width), [])
        censored = self.censored(n, width)
        if cell is not None and censored:
            return self._further(cell, max(censored, key=lambda run: run.steps))
        seed = next((seed for seed in self.seeds if seed not in {run.seed for run in held}), None)
        return None if seed is None else self._new(n, width, seed, cell)

    def censored(self, n: int, width: int) -> list[HeldRun]:
        """The runs of a cell that ended by their steps without having copied."""
        cell = self.cells.get((n, width))
        states = {told.run: told.state for told in cell.judged} if cell else {}
        return [run for run in self.held.get((n, width), []) if run.finished and states.get(run.run) is CellState.CENSORED]

    def _further(self, cell: PhaseCell, run: HeldRun) -> Plan | None:
        """More steps for a run that has not copied: enough to see copying, then enough to rule it out where nothing has risen yet."""
        tau = cell.predicted_tau_mem or self.expected(cell.n, cell.width)
        steps, ruling_out = (2 * run.steps if tau is None else steps_to_see(tau.high)), False
        if tau is not None and run.steps >= steps:
            ruling_out = run.flat
            steps = steps_to_rule_out(tau.high) if ruling_out and cell.predicted_tau_mem else 2 * run.steps
            if ruling_out and (cell.predicted_tau_mem is None or run.steps >= steps):
                return None  # No step more would make it a plateau.
        return Plan(Action.EXTEND, cell.n, cell.width, run.seed, steps, run.steps, tau, ruling_out, run.run)

    def _new(self, n: int, width: int, seed: int, cell: PhaseCell | None) -> Plan:
        tau = self.expected(n, width)
        steps = steps_to_see(tau.high) if tau is not None else self._as_others(n)
        if cell is not None and cell.state is CellState.PLATEAU:
            steps = max(steps, cell.steps)  # A second seed is to show the same.
        elif cell is not None and cell.tau_mem is not None and cell.tau_mem.high is not None:
            steps = steps_to_see(cell.tau_mem.high)
        return Plan(Action.NEW, n, width, seed, steps, 0, tau, False, None)

    def expected(self, n: int, width: int) -> Interval | None:
        """tau_mem at a cell by all cells that reached it."""
        return expected_tau_mem(list(self.cells.values()), n, width)

    def _as_others(self, n: int) -> int:
        """Steps in proportion to n, by the run of the nearest n: its owner chose them."""
        runs = [run for runs in self.held.values() for run in runs]
        near = min(runs, key=lambda run: max(run.n / n, n / run.n), default=None)
        return 1000 if near is None else max(1, round(near.steps * n / near.n))
