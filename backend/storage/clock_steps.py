"""What a database clock that was set back leaves behind: times in the future, which would be waited for."""

from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, Update, case, or_, update
from sqlalchemy.orm import Session

from backend.storage.database import db_now
from backend.storage.tables import Evaluation, Leased, RemeasuredStep, Run, Worker
from tauscope.contracts.runs import RunState

# No transaction is that long between reading the clock and its commit being seen.
SLACK_SECONDS = 5.0


def bring_back(session: Session) -> int:
    """Move leases and wake-up times that lie in the future to the present, and return how many runs and evaluations had one.

    A lease keeps its length, counted from now: a worker that lives renews it in time, one that is gone is not waited for
    until the clock has caught up. A clock that is set forward needs nothing: every lease is over, and costs an attempt.
    """
    future = db_now() + SLACK_SECONDS
    # A worker that lives says so again within seconds; of one that is gone it must not seem so.
    session.execute(update(Worker).where(Worker.seen_at > future).values(seen_at=db_now()))
    return _bring_runs_back(session, future) + sum(_bring_work_back(session, work, future) for work in (Evaluation, RemeasuredStep))


def _bring_runs_back(session: Session, future: ColumnElement[float]) -> int:
    active = Run.state.in_([RunState.QUEUED, RunState.RUNNING])
    length = Run.lease_until - Run.updated_at
    values: dict[str, Any] = {
        "lease_until": case((Run.updated_at <= future, Run.lease_until), (length > 0, db_now() + length), else_=0.0),
        "enqueued_at": case((Run.enqueued_at > future, 0.0), else_=Run.enqueued_at),
        "updated_at": case((Run.updated_at > future, db_now()), else_=Run.updated_at),
    }
    return _changed(session, update(Run).where(active, or_(Run.updated_at > future, Run.enqueued_at > future)).values(**values))


def _bring_work_back(session: Session, work: type[Leased], future: ColumnElement[float]) -> int:
    length = work.lease_until - work.renewed_at
    values: dict[str, Any] = {
        "lease_until": case((work.renewed_at <= future, work.lease_until), (length > 0, db_now() + length), else_=0.0),
        "enqueued_at": case((work.enqueued_at > future, 0.0), else_=work.enqueued_at),
        "renewed_at": case((work.renewed_at > future, db_now()), else_=work.renewed_at),
    }
    late = or_(work.renewed_at > future, work.enqueued_at > future)
    return _changed(session, update(work).where(late).values(**values))


def _changed(session: Session, change: Update) -> int:
    return cast(CursorResult[Any], session.execute(change, execution_options={"synchronize_session": False})).rowcount
