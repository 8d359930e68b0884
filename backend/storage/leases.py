"""Work on a checkpoint that is claimed with a lease of its own: what evaluations and re-measurements have in common."""

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_, select, update
from sqlalchemy.orm import Session

from backend.storage.claims import STALL_LIMIT, retry_seconds
from backend.storage.database import db_now
from backend.storage.tables import Evaluation, Leased, RemeasuredStep, Remeasurement, Run


def claimable(work: type[Leased]) -> ColumnElement[bool]:
    """Rows that nobody works at, that are not done, and that have not stalled too often."""
    free = and_(work.lease_until < db_now(), work.stalls < STALL_LIMIT)
    return and_(free, RemeasuredStep.finished_at.is_(None)) if issubclass(work, RemeasuredStep) else free


def awaited_steps(run_id: str) -> Select[tuple[int]]:
    """The steps of a run whose checkpoint somebody is still to draw from, or to measure again."""
    again = select(RemeasuredStep.step).join(Remeasurement).where(Remeasurement.run_id == run_id, to_be_done())
    return select(Evaluation.step).where(Evaluation.run_id == run_id).union(again).subquery().select()


def to_be_done() -> ColumnElement[bool]:
    """Steps that are still to be measured again, and not given up."""
    tried = or_(RemeasuredStep.stalls < STALL_LIMIT, RemeasuredStep.lease_until >= db_now())
    return and_(RemeasuredStep.finished_at.is_(None), tried)


def taken(work: type[Leased], worker: str, lease_seconds: float) -> dict[str, Any]:
    """What a claim writes."""
    return {
        "epoch": work.epoch + 1,
        "worker": worker,
        "lease_until": db_now() + lease_seconds,
        "renewed_at": db_now(),
        "enqueued_at": 0.0,
        # Counted at once, because an attempt that dies cannot count itself.
        "stalls": work.stalls + 1,
    }


def renewed(worker: str, values: dict[str, Any]) -> dict[str, Any]:
    """What the holder of a claim writes, with these values or in their place."""
    return {"worker": worker, "renewed_at": db_now()} | values


def returned(work: type[Leased], trouble: str, *, excused: bool) -> dict[str, Any]:
    """What giving back writes: with ``trouble`` the next attempt waits, the longer the more often it came.

    An attempt without trouble does not count, nor one that is ``excused``: the checkpoint is not to blame.
    """
    values: dict[str, Any] = {"worker": None, "enqueued_at": 0.0, "reason": trouble, "lease_until": 0.0}
    if trouble:
        values["lease_until"] = db_now() + retry_seconds(work.stalls)
    if excused or not trouble:
        values["stalls"] = work.stalls - 1
    return values


def bump(session: Session, run_id: str) -> int:
    """Lock the run and move its flush number on, so that every open page hears of what follows; returns the number."""
    # Not its time of the last news, by which leases are judged: this is no news of whoever holds the run.
    change = update(Run).where(Run.id == run_id).values(seq=Run.seq + 1).returning(Run.seq)
    return int(session.execute(change, execution_options={"synchronize_session": False}).scalar_one())
