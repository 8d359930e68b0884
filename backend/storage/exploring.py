"""What an exploration chooses from: its experiment as it stands, read in one snapshot."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from backend.storage.census import living_workers
from backend.storage.explorations import Basis, basis_of, decisions_of, is_over, spent
from backend.storage.measured import measured_runs
from backend.storage.offers import offer_of
from backend.storage.tables import Experiment, Exploration, Run
from tauscope.analysis.exploration import propose
from tauscope.analysis.exploration_plans import HeldRun
from tauscope.analysis.phase import phase_diagram
from tauscope.analysis.phase_states import MeasuredRun
from tauscope.analysis.run_costs import Timed, cost_in
from tauscope.contracts.exploration import Budget, Candidates, Proposal, Spent
from tauscope.contracts.runs import RunState


@dataclass(frozen=True)
class Standing:
    """An exploration and its experiment; ``slots`` are those of the workers that live, ``under_way`` the runs that take one."""

    exploration: Exploration
    experiment: Experiment
    basis: Basis
    candidates: Candidates
    budget: Budget
    spent: Spent
    slots: int
    under_way: int

    @classmethod
    def read(cls, session: Session, exploration_id: str) -> "Standing | None":
        """``None`` where it was deleted."""
        exploration = session.get(Exploration, exploration_id)
        experiment = session.get(Experiment, exploration.experiment_id) if exploration else None
        if exploration is None or experiment is None:
            return None
        runs, budget = experiment.runs, Budget.model_validate(exploration.budget)
        used = spent(session, budget, decisions_of(session, exploration_id), runs)
        candidates = Candidates.model_validate(exploration.candidates)
        slots, under_way = _slots(session, runs[0].queue), sum(not is_over(run) and run.state != RunState.PAUSED for run in runs)
        return cls(exploration, experiment, basis_of(exploration, runs), candidates, budget, used, slots, under_way)

    @property
    def remaining(self) -> float:
        """What is neither spent nor committed."""
        return self.budget.amount - self.spent.spent - self.spent.committed

    def propose(self, session: Session, slots: int) -> Proposal:
        """What to choose for so many slots. It takes a second or more: not in a transaction that writes."""
        measured = measured_runs(session, self.experiment)
        diagram = phase_diagram(self.experiment.name, measured)
        if not diagram.cells:
            return Proposal(reason=f"no phase diagram: {diagram.missing}", finished=True)
        runs = self.experiment.runs
        held = [_held(run, seen) for run, seen in zip(runs, measured, strict=True)]
        timed = [Timed(seen.spec.width or 1, _work(run, seen), run.seconds) for run, seen in zip(runs, measured, strict=True)]
        base = measured[0].spec
        cost, samples = cost_in(self.budget.kind, base, timed), base.n_generated
        return propose(diagram, held, self.candidates, self.budget, self.spent, slots=slots, samples=samples, cost=cost)


def _slots(session: Session, queue: str) -> int:
    workers = [worker for worker in living_workers(session) if not worker.draining]
    return sum(worker.slots for worker in workers if queue in offer_of(worker).queues)


def _held(run: Run, seen: MeasuredRun) -> HeldRun:
    spec = seen.spec
    return HeldRun(
        run=run.id,
        n=spec.n_train,
        width=spec.width or 1,
        seed=spec.seed,
        steps=run.steps,
        over=is_over(run),
        finished=is_over(run) and run.state == RunState.FINISHED,
        flat=seen.flat,
    )


def _work(run: Run, seen: MeasuredRun) -> float:
    return seen.spec.cost() * min(run.step, run.steps) / run.steps
