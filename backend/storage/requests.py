"""What its owner asks of a run: stop, pause, resume, priority. The row holds the request; who holds the run obeys at its next flush."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, case, or_, update
from sqlalchemy.orm import Session

from backend.storage.claims import add_event, settle
from backend.storage.database import db_now
from backend.storage.tables import Run
from tauscope.contracts.runs import TERMINAL_STATES, DesiredState, RunState


def request_stop(session: Session, run_ids: Sequence[str]) -> None:
    """Ask runs to stop. Those that no worker holds are stopped at once; the others obey at their next flush."""
    _ask(session, _active(run_ids, Run.desired != DesiredState.STOP), {"desired": DesiredState.STOP.value}, "stop_requested")
    settle(session)


def request_pause(session: Session, run_ids: Sequence[str]) -> None:
    """Ask runs to pause. Those that no worker holds pause at once; the others obey at their next flush."""
    _ask(session, _active(run_ids, Run.desired == DesiredState.RUN), {"desired": DesiredState.PAUSE.value}, "pause_requested")
    settle(session)


def request_resume(session: Session, run_ids: Sequence[str]) -> list[str]:
    """Let paused runs go on, and return those that wait for a worker now; a wake-up must follow the commit."""
    paused = Run.state == RunState.PAUSED
    values = {
        "desired": DesiredState.RUN.value,
        "state": case((paused, RunState.QUEUED.value), else_=Run.state),
        "reason": case((paused, ""), else_=Run.reason),
        "enqueued_at": case((paused, 0.0), else_=Run.enqueued_at),
        # Silence is counted from the last news, and a long pause is none.
        "updated_at": db_now(),
    }
    return _ask(session, _active(run_ids, Run.desired == DesiredState.PAUSE), values, "resume_requested")


def set_priority(session: Session, run_ids: Sequence[str], priority: int) -> None:
    """Let runs be claimed before those of lower priority, from their next segment on."""
    values = {"priority": priority}
    _ask(session, _active(run_ids, Run.priority != priority), values, "priority_set", f"to {priority} by its owner")


def extend(session: Session, run_id: str, spec: dict[str, Any], *, cost: float, note: str = "") -> bool:
    """Let a finished, stopped or failed run go on from its last checkpoint to ``spec["steps"]``; whether it was such a run.

    Final states are final for faults. This is the owner's own act, the only one that leaves them, and an event tells of it
    with the ``note``.
    A wake-up must follow the commit.
    """
    steps = spec["steps"]
    longer = or_(
        and_(Run.state == RunState.FINISHED, Run.steps < steps),
        and_(Run.state.in_([RunState.STOPPED, RunState.FAILED]), Run.steps <= steps),
    )
    values = {
        "state": RunState.QUEUED.value,
        "desired": DesiredState.RUN.value,
        "spec": spec,
        "steps": steps,
        "cost": cost,
        "reason": "",
        "verdict": {},
        "stalls": 0,
        "lease_until": 0.0,
        "enqueued_at": 0.0,
        "updated_at": db_now(),
    }
    return bool(_ask(session, and_(Run.id == run_id, longer), values, "extended", f"to {steps} steps by its owner{note}"))


def _active(run_ids: Sequence[str], wanted: ColumnElement[bool]) -> ColumnElement[bool]:
    return and_(Run.id.in_(run_ids), Run.state.not_in(TERMINAL_STATES), wanted)


def _ask(session: Session, which: ColumnElement[bool], values: dict[str, Any], event: str, detail: str = "by its owner") -> list[str]:
    # The flush number moves on, so that every open page hears of it.
    asked = update(Run).where(which).values(seq=Run.seq + 1, **values).returning(Run.id, Run.seq, Run.state)
    rows = session.execute(asked, execution_options={"synchronize_session": False}).all()
    for row in rows:
        add_event(session, row.id, row.seq, event, detail)
    return [row.id for row in rows if row.state == RunState.QUEUED]
