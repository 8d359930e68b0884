"""What went wrong lately, and what waits where."""

from collections import Counter
from typing import NamedTuple

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from backend.storage.leases import to_be_done
from backend.storage.tables import Evaluation, Experiment, RemeasuredStep, Remeasurement, Run, RunEvent

RELEASED, IN_TROUBLE = "released", "in trouble"


class Failure(NamedTuple):
    """An event of trouble with the run and the experiment it belongs to."""

    event: RunEvent
    run: Run
    experiment: str


class Load(NamedTuple):
    """What a queue holds."""

    queue: str
    queued: int
    running: int
    evaluations: int


def latest_failures(session: Session, limit: int) -> list[Failure]:
    """Failed runs, attempts that ended in trouble, and samples that could not be drawn, latest first."""
    trouble = or_(
        RunEvent.name.in_(("failed", "evaluation_failed")), and_(RunEvent.name == RELEASED, RunEvent.detail.like(f"{IN_TROUBLE}%"))
    )
    query = select(RunEvent, Run, Experiment.name).join(Run, Run.id == RunEvent.run_id).join(Experiment, Experiment.id == Run.experiment_id)
    return [Failure(*row) for row in session.execute(query.where(trouble).order_by(RunEvent.id.desc()).limit(limit))]


def loads(session: Session) -> list[Load]:
    """How much waits and computes in each queue that has any, by name."""
    states = select(Run.queue, Run.state, func.count()).where(Run.state.in_(("queued", "running"))).group_by(Run.queue, Run.state)
    runs = {(queue, state): count for queue, state, count in session.execute(states)}
    drawn = select(Run.queue, func.count()).select_from(Evaluation).join(Run, Run.id == Evaluation.run_id)
    again = select(Run.queue, func.count()).select_from(RemeasuredStep).join(Remeasurement).join(Run).where(to_be_done())
    evaluations: Counter[str] = Counter()
    for pending in (drawn, again):
        for queue, count in session.execute(pending.group_by(Run.queue)):
            evaluations[queue] += count
    names = sorted({*(queue for queue, _ in runs), *evaluations})
    return [Load(name, runs.get((name, "queued"), 0), runs.get((name, "running"), 0), evaluations.get(name, 0)) for name in names]
