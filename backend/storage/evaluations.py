"""Checkpoints whose samples are still to be drawn: claimed with a lease of their own, whatever becomes of the run meanwhile."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, delete, func, select, tuple_, update
from sqlalchemy.orm import Session

from backend.storage.claims import STALL_LIMIT, FencedError, add_event, written_by
from backend.storage.database import db_now
from backend.storage.files import CheckpointFiles, checkpoints_up_to
from backend.storage.flush import FileRecord, await_samples, record_files, record_points
from backend.storage.leases import bump, claimable, renewed, returned, taken
from backend.storage.offers import Offer, suits_evaluation
from backend.storage.refining import note_gap
from backend.storage.tables import Evaluation, RemeasuredStep, Remeasurement, Run, RunEvent
from tauscope.contracts.points import Point

GIVEN_UP = "evaluation_failed"
_UNSYNCED = {"synchronize_session": False}


@dataclass(frozen=True)
class EvaluationClaim:
    """The right to draw the samples of a checkpoint until the lease runs out; every write must carry ``epoch``."""

    run_id: str
    step: int
    epoch: int
    worker: str
    lease_seconds: float
    spec: dict[str, Any]
    checkpoints: tuple[CheckpointFiles, ...]  # The one to draw from, and the earlier ones, from which it can be trained again.
    written_by: str  # The code that wrote the checkpoint,
    code_version: str  # and the one that draws under this claim.


def claim_evaluation(
    session: Session, worker: str, lease_seconds: float, offer: Offer, *, run_id: str | None = None
) -> EvaluationClaim | None:
    """Claim the first checkpoint that waits, of all runs or of one; ``None`` if there is none. Two callers never get the same one."""
    _give_up_stalled(session)
    waiting = select(Evaluation.run_id, Evaluation.step).join(Run).where(claimable(Evaluation), suits_evaluation(offer))
    if run_id is not None:
        waiting = waiting.where(Evaluation.run_id == run_id)
    first = waiting.order_by(Run.priority.desc(), Evaluation.stalls, Evaluation.run_id, Evaluation.step).limit(1)
    chosen = session.execute(first.with_for_update(of=Evaluation, skip_locked=True)).one_or_none()
    if chosen is None:
        return None
    mine = tuple_(Evaluation.run_id, Evaluation.step) == tuple_(*chosen)
    take = update(Evaluation).where(mine, claimable(Evaluation)).values(taken(Evaluation, worker, lease_seconds))
    row = session.execute(take.returning(Evaluation.epoch, Evaluation.code_version), execution_options=_UNSYNCED).one_or_none()
    if row is None:
        return None  # It has just gone with a rewind.
    spec = session.execute(select(Run.spec).where(Run.id == chosen.run_id)).scalar_one()
    checkpoints = checkpoints_up_to(session, chosen.run_id, chosen.step)
    versions = (row.code_version, offer.version(spec))
    return EvaluationClaim(chosen.run_id, chosen.step, row.epoch, worker, lease_seconds, spec, checkpoints, *versions)


def renew_evaluation(session: Session, claim: EvaluationClaim) -> None:
    """Keep the lease.

    Raises:
        FencedError: if the checkpoint is no longer this claim's, or was rewound, or its run deleted.
    """
    _own(session, claim, {"lease_until": db_now() + claim.lease_seconds})


def complete_evaluation(session: Session, claim: EvaluationClaim, points: Sequence[Point], files: Sequence[FileRecord]) -> None:
    """Record what was measured, in the transaction that ends the evaluation: it is there once, or still to be done.

    Raises:
        FencedError: as ``renew_evaluation``.
    """
    seq = bump(session, claim.run_id)  # First the run, then the evaluation, as a rewind locks them.
    _own(session, claim, {})
    session.execute(delete(Evaluation).where(_mine(claim)), execution_options=_UNSYNCED)
    # A run that waits for nothing but its evaluations makes progress by them.
    session.execute(update(Run).where(Run.id == claim.run_id).values(stalls=0), execution_options=_UNSYNCED)
    record_files(session, claim.run_id, files)
    record_points(session, claim.run_id, points, seq)
    if claim.written_by != claim.code_version:
        detail = f"samples of step {claim.step} drawn by code version {claim.code_version} from a checkpoint of {claim.written_by}"
        add_event(session, claim.run_id, seq, "code_version_changed", f"{detail}; accepted by the worker's policy")


def give_back_evaluation(session: Session, claim: EvaluationClaim, trouble: str = "", *, excused: bool = False) -> None:
    """Let another take it; with ``trouble`` the next attempt waits, the longer the more often it came.

    An attempt without trouble does not count, nor one that is ``excused``: the checkpoint is not to blame.

    Raises:
        FencedError: as ``renew_evaluation``.
    """
    _own(session, claim, returned(Evaluation, trouble, excused=excused))


def draw_again(session: Session, run_id: str, steps: Sequence[int]) -> None:
    """Let the samples of steps whose evaluation was given up be drawn after all; one that waits already is left as it is."""
    if not steps:
        return
    seq = bump(session, run_id)
    epoch = session.execute(select(Run.epoch).where(Run.id == run_id)).scalar_one()
    given_up = select(func.count()).where(RunEvent.run_id == run_id, RunEvent.name == GIVEN_UP)
    # Above every fencing token that was given out for such a step before it was given up.
    first_token = (epoch << 20) + (session.scalars(given_up).one() << 10)
    for step in steps:
        await_samples(session, run_id, [step], code_version=written_by(session, run_id, step) or "", epoch=first_token)
    add_event(session, run_id, seq, "drawing_asked", f"the samples of steps {', '.join(f'{step:,}' for step in steps)} are drawn after all")


def unevaluated(session: Session, run_ids: Sequence[str]) -> dict[str, int]:
    """How many checkpoints of each run still wait for their samples; runs without one are left out."""
    query = select(Evaluation.run_id, func.count()).where(Evaluation.run_id.in_(run_ids)).group_by(Evaluation.run_id)
    return {run_id: count for run_id, count in session.execute(query)}  # noqa: C416 - a Row is no plain pair to the type checker


def stale_evaluations(session: Session, *, stale_seconds: float, limit: int = 1000) -> dict[str, list[str]]:
    """By queue, the run of every checkpoint that anybody may claim and for which no wake-up went out lately; also to measure it again."""
    stale: dict[str, list[str]] = {}
    for work, query in _with_run(Run.queue, Run.id):
        late = query.where(claimable(work), work.enqueued_at < db_now() - stale_seconds)
        for queue, run_id in session.execute(late.order_by(Run.id).limit(limit)):
            stale.setdefault(queue, []).append(run_id)
    return stale


def mark_evaluations_enqueued(session: Session, run_ids: Sequence[str]) -> None:
    """Remember that wake-ups went out. What was claimed meanwhile keeps its 0, so that it is woken at once should that worker die."""
    sets = select(Remeasurement.id).where(Remeasurement.run_id.in_(list(run_ids)))
    drawn, again = Evaluation.run_id.in_(list(run_ids)), RemeasuredStep.remeasurement_id.in_(sets)
    for change in (update(Evaluation).where(drawn, claimable(Evaluation)), update(RemeasuredStep).where(again, claimable(RemeasuredStep))):
        session.execute(change.values(enqueued_at=db_now()), execution_options=_UNSYNCED)


def waiting_evaluations(session: Session, queue: str) -> int:
    """How many checkpoints of a queue wait for somebody to claim them."""
    counts = (query.where(claimable(work), Run.queue == queue) for work, query in _with_run(func.count()))
    return sum(int(session.scalar(count) or 0) for count in counts)


def _with_run(*columns: Any) -> "tuple[tuple[type[Evaluation | RemeasuredStep], Select[Any]], ...]":
    """Both kinds of work on a checkpoint, each with its rows beside their runs."""
    return (
        (Evaluation, select(*columns).select_from(Evaluation).join(Run)),
        (RemeasuredStep, select(*columns).select_from(RemeasuredStep).join(Remeasurement).join(Run)),
    )


def _mine(claim: EvaluationClaim) -> ColumnElement[bool]:
    return and_(Evaluation.run_id == claim.run_id, Evaluation.step == claim.step, Evaluation.epoch == claim.epoch)


def _own(session: Session, claim: EvaluationClaim, values: dict[str, Any]) -> None:
    change = update(Evaluation).where(_mine(claim)).values(renewed(claim.worker, values))
    if session.execute(change.returning(Evaluation.step), execution_options=_UNSYNCED).one_or_none() is None:
        raise FencedError(f"step {claim.step} of run {claim.run_id} is no longer evaluated under epoch {claim.epoch}")


def _give_up_stalled(session: Session) -> None:
    """A checkpoint that cannot be evaluated leaves a gap in the curve, and its run says so; it never holds the run up."""
    stalled = and_(Evaluation.stalls >= STALL_LIMIT, Evaluation.lease_until < db_now())
    for run_id in session.scalars(select(Evaluation.run_id).where(stalled).distinct()).all():
        seq = bump(session, run_id)
        gone = delete(Evaluation).where(Evaluation.run_id == run_id, stalled).returning(Evaluation.step, Evaluation.reason)
        for step, cause in session.execute(gone, execution_options=_UNSYNCED).all():
            why = cause or "every worker that tried was lost"
            told = f"the samples of step {step} could not be drawn in {STALL_LIMIT} attempts, and the curves have a gap there: {why}"
            add_event(session, run_id, seq, GIVEN_UP, told)
            note_gap(session, run_id, step, told, seq)
