"""Which runs to make next, so that the boundaries of the phase diagram become known for the least cost.

Each candidate is worth the expected fall of the entropy of the two boundaries at its width (Lindley 1956, Ann. Math. Stat. 27, 986), and
costs what a run long enough to be told apart is expected to cost. The best ratio is taken first, one after another; what is under way
counts as told apart the likelier way. That copying was looked for without success is no plateau yet, so it settles nothing; but it says
where a plateau is likely, and with that which run to follow up.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from tauscope.analysis.boundary_belief import KNOWN, Answer, Belief
from tauscope.analysis.exploration_plans import HeldRun, Place, Plan, Planner
from tauscope.analysis.phase_states import MOST_COPIED, good_before_copying
from tauscope.analysis.run_lengths import steps_to_rule_out, steps_to_see
from tauscope.contracts.exploration import Action, Budget, Candidates, Chosen, Proposal, Spent
from tauscope.contracts.phase import BoundaryKind, CellState, PhaseCell, PhaseDiagram
from tauscope.contracts.wording import percent
from tauscope.metrics.intervals import clopper_pearson

LEAST_BITS = 0.1  # A run that is expected to tell less is not worth a place in a log that people read.
LOOKED_FOR = 0.1  # The chance that a run beyond n* is taken for one because copying was not seen when it was expected: a late one.
_KINDS: tuple[BoundaryKind, ...] = ("window", "plateau")
_EDGES: dict[BoundaryKind, str] = {"window": "the edge between memorizing and a window", "plateau": "n*(p), between copying and a plateau,"}
_COPIES = (CellState.MEMORIZES, CellState.WINDOW)


Cost = Callable[[int, int, int, int], float | None]
"""What it costs to train the cell (n, W) from one step to another, in the unit of the budget; ``None`` where nobody knows."""


def propose(
    diagram: PhaseDiagram,
    held: Sequence[HeldRun],
    candidates: Candidates,
    budget: Budget,
    spent: Spent,
    *,
    slots: int,
    samples: int,
    cost: Cost,
) -> Proposal:
    """The runs to choose now, at most ``slots``, which together cost no more than is left; or why there are none.

    Args:
        diagram: the experiment's phase diagram, of all its runs.
        held: its runs.
        slots: how many more runs can be computed at once.
        samples: drawn at each checkpoint; with few of them nothing can be shown to be a plateau.
    """
    left = budget.amount - spent.spent - spent.committed
    scene = _Scene.of(diagram, held, candidates, samples, cost)
    chosen: list[Chosen] = []
    while len(chosen) < slots:
        best = scene.best(left - sum(item.cost for item in chosen))
        if best is None:
            break
        chosen.append(best)
        scene = scene.with_pending(*best.cell)
    if chosen or slots <= 0:
        return Proposal(chosen=tuple(chosen))
    return scene.why_none(left, budget)


def likely_edge(belief: Belief, kind: BoundaryKind, width: int) -> str:
    """Where a boundary lies at 95 %, in words."""
    low, high = belief.between(width)
    if low is not None and high is not None:
        return f"{_EDGES[kind]} lies between n = {low:,} and n = {high:,}"
    if high is not None:
        return f"{_EDGES[kind]} lies below n = {high:,}"
    return f"{_EDGES[kind]} lies above n = {low:,}" if low is not None else f"{_EDGES[kind]} may lie anywhere"


class _Option(NamedTuple):
    """A run that could be made: what it tells, what it costs now, and what an answer is expected to cost in all."""

    chosen: Chosen
    to_answer: float

    @property
    def worth(self) -> float:
        return self.chosen.bits / self.to_answer


@dataclass(frozen=True)
class _Scene:
    """What is known, and what may be run."""

    planner: Planner
    candidates: Candidates
    samples: int
    cost: Cost
    answers: dict[BoundaryKind, tuple[Answer, ...]]
    hints: tuple[Answer, ...]
    settled: dict[BoundaryKind, Belief]
    likely: dict[BoundaryKind, Belief]
    pending: frozenset[Place] = frozenset()

    @classmethod
    def of(cls, diagram: PhaseDiagram, held: Sequence[HeldRun], candidates: Candidates, samples: int, cost: Cost) -> "_Scene":
        by_cell: dict[Place, list[HeldRun]] = {}
        for run in held:
            by_cell.setdefault((run.n, run.width), []).append(run)
        cells = {(cell.n, cell.width): cell for cell in diagram.cells}
        answers = {kind: tuple(answer for cell in diagram.cells for answer in answers_of(cell, kind)) for kind in _KINDS}
        n, widths = {*candidates.n_train, *(key[0] for key in cells)}, {*candidates.width, *(key[1] for key in cells)}
        nothing = Belief.given(sorted(n), sorted(widths), ())
        blank = cls(Planner(cells, by_cell, candidates.seed), candidates, samples, cost, {}, (), dict.fromkeys(_KINDS, nothing), {})
        scene = blank._with(answers, tuple(blank._hints()))
        for run in held:
            scene = scene if run.over or (run.n, run.width) in scene.pending else scene.with_pending(run.n, run.width)
        return scene

    def _with(self, answers: dict[BoundaryKind, tuple[Answer, ...]], hints: tuple[Answer, ...]) -> "_Scene":
        settled = {kind: Belief.given(belief.n, belief.widths, answers[kind]) for kind, belief in self.settled.items()}
        plateau = settled["plateau"]
        likely = settled | {"plateau": Belief.given(plateau.n, plateau.widths, (*answers["plateau"], *hints))}
        return replace(self, answers=answers, hints=hints, settled=settled, likely=likely)

    def _hints(self) -> Iterator[Answer]:
        """The flat runs that were long enough to see copying, and did not."""
        for (n, width), cell in self.planner.cells.items():
            for run in self.planner.censored(n, width):
                tau = cell.predicted_tau_mem or self.planner.expected(n, width)
                if run.flat and tau is not None and run.steps >= steps_to_see(tau.high):
                    yield Answer(n, width, beyond=True, doubt=LOOKED_FOR)

    def with_pending(self, n: int, width: int) -> "_Scene":
        """With a run under way at this cell, told apart the likelier way."""
        beyond = {kind: belief.beyond(n, width) >= 0.5 for kind, belief in self.likely.items()}
        answers = {kind: (*self.answers[kind], Answer(n, width, beyond[kind])) for kind in _KINDS}
        return replace(self._with(answers, self.hints), pending=self.pending | {(n, width)})

    @property
    def shows_plateaus(self) -> bool:
        """Whether a checkpoint without a copy lies below the level of a plateau."""
        return clopper_pearson(0, self.samples)[1] < MOST_COPIED

    def best(self, left: float) -> Chosen | None:
        """The option that tells most for its cost among those that can be paid."""
        payable = [option for option in self._telling(left) if option.chosen.cost <= left]
        return max(payable, key=lambda option: option.worth).chosen if payable else None

    def why_none(self, left: float, budget: Budget) -> Proposal:
        """Why nothing is chosen though there are slots."""
        if self.pending:
            return Proposal(reason=f"waits for the runs under way at {len(self.pending)} cell{'s' * (len(self.pending) > 1)}")
        telling = list(self._telling(left))
        if telling:
            cheapest = min(option.chosen.cost for option in telling)
            words = (
                f"the budget is spent: the cheapest run that would tell more costs {budget.words(cheapest)}, {budget.words(left)} are left"
            )
            return Proposal(reason=words, finished=True)
        if unpriced := sum(1 for _ in self._options()) - sum(1 for option in self._options() if self._price(option) is not None):
            return Proposal(reason=f"no run has been timed here, so that nobody knows what {unpriced} cells cost in seconds")
        return Proposal(reason=self._ended(), finished=True)

    def _ended(self) -> str:
        widths = self.candidates.width
        open_ones = [(kind, width) for width in widths for kind in _KINDS if not self.settled[kind].known(width)]
        if not open_ones:
            share = f"at least {percent(KNOWN)} of the belief lies in one gap between neighbouring n, or beyond the last"
            return f"both boundaries are known to the grid at all {len(widths)} W: at each, {share}"
        kind, width = open_ones[0]
        few = "" if self.shows_plateaus else f". {self.samples:,} samples a checkpoint are too few to show a plateau"
        return (
            f"no candidate would tell more: {len(open_ones)} of {2 * len(widths)} boundaries are not known to the grid "
            f"(at W = {width} {likely_edge(self.settled[kind], kind, width)}); give more seeds or another n{few}"
        )

    def _telling(self, left: float) -> Iterator[_Option]:
        for plan in self._options():
            option = self._priced(plan, left)
            if option is not None and option.chosen.bits >= LEAST_BITS:
                yield option

    def _options(self) -> Iterator[Plan]:
        for width in self.candidates.width:
            for n in self.candidates.n_train:
                plan = None if (n, width) in self.pending else self.planner.plan(n, width)
                if plan is not None:
                    yield plan

    def _price(self, plan: Plan) -> float | None:
        return self.cost(plan.n, plan.width, plan.from_steps, plan.steps)

    def _priced(self, plan: Plan, left: float) -> _Option | None:
        cost = self._price(plan)
        if cost is None:
            return None
        after = self._to_rule_out(plan) if self.shows_plateaus else 0.0
        bits = {kind: self._bits(plan, kind, ruled_out=self.shows_plateaus and cost + after <= left) for kind in _KINDS}
        expected = cost + self.likely["plateau"].beyond(plan.n, plan.width) * after
        return _Option(self._chosen(plan, cost, bits), max(expected, 1e-9))

    def _bits(self, plan: Plan, kind: BoundaryKind, *, ruled_out: bool) -> float:
        """The expected fall of a boundary's entropy; without ``ruled_out`` copying can be seen, but a plateau not be shown."""
        cell, settled = (plan.n, plan.width), self.settled[kind]
        told = plan.action is Action.EXTEND and any((answer.n, answer.width) == cell for answer in self.answers[kind])
        if told or settled.known(plan.width):
            return 0.0  # More steps for a run say nothing new of what it has shown already.
        beyond = self.likely[kind].beyond(*cell)
        fall = (1 - beyond) * settled.fall(Answer(*cell, beyond=False))
        return fall + beyond * settled.fall(Answer(*cell, beyond=True)) if ruled_out or kind == "window" else fall

    def _to_rule_out(self, plan: Plan) -> float:
        """What it costs beyond the plan to rule copying out, should it not be seen."""
        if plan.tau_mem is None or plan.ruling_out:
            return 0.0
        steps = steps_to_rule_out(plan.tau_mem.high)
        return (self.cost(plan.n, plan.width, plan.steps, steps) or 0.0) if steps > plan.steps else 0.0

    def _chosen(self, plan: Plan, cost: float, bits: dict[BoundaryKind, float]) -> Chosen:
        telling = max(_KINDS, key=lambda kind: bits[kind])
        where = likely_edge(self.likely[telling], telling, plan.width)
        return Chosen(
            action=plan.action,
            n_train=plan.n,
            width=plan.width,
            seed=plan.seed,
            steps=plan.steps,
            more_steps=plan.steps - plan.from_steps,
            cost=cost,
            bits=sum(bits.values()),
            why=f"{where}; {plan.why}",
            run=plan.run,
        )


def answers_of(cell: PhaseCell, kind: BoundaryKind) -> Iterator[Answer]:
    """Each run of a cell that lies clearly before or beyond a boundary."""
    early = good_before_copying(cell.tau_gen, cell.tau_mem)
    for told in cell.judged:
        state, beyond = told.state, None
        if kind == "plateau":
            beyond = False if state in _COPIES else True if state is CellState.PLATEAU else None
        elif state is CellState.MEMORIZES:
            beyond = False if cell.settled else None
        elif state in (CellState.WINDOW, CellState.PLATEAU) or (state is CellState.CENSORED and early):
            beyond = True
        if beyond is not None:
            yield Answer(cell.n, cell.width, beyond)
