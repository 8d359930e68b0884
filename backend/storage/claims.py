"""Who may compute a run: claims with a lease and a fencing epoch, and the transitions only the claim's holder may make."""

from dataclasses import dataclass, replace
from typing import Any, cast

from sqlalchemy import ColumnElement, and_, case, delete, func, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from backend.storage.announcements import announce_ends
from backend.storage.database import db_now
from backend.storage.files import CheckpointFiles, checkpoint_files
from backend.storage.offers import Offer, suits
from backend.storage.tables import Attempt, Evaluation, MetricPoint, Run, RunEvent, RunFile, Series
from tauscope.contracts.runs import TERMINAL_STATES, DesiredState, RunState

STALL_LIMIT = 5
RETRY_SECONDS = (0.0, 2.0, 8.0, 32.0, 128.0)  # By the attempts without progress so far: a full disk lasts minutes.
_UNSYNCED = {"synchronize_session": False}


class FencedError(Exception):
    """The run belongs to somebody else by now, or is over, or was deleted: stop, and write nothing more."""


@dataclass(frozen=True)
class Claim:
    """The right to compute a run until the lease runs out; every write must carry ``epoch``."""

    run_id: str
    epoch: int
    worker: str
    lease_seconds: float
    spec: dict[str, Any]
    queue: str
    steps: int
    seconds: float
    checkpoint: CheckpointFiles | None
    code_version: str  # The code that computes under this claim.
    resumed_version: str | None = None  # The code that wrote the checkpoint.


def claimable() -> ColumnElement[bool]:
    """Runs that nobody computes, that are wanted, and that have not stalled too often."""
    waiting = and_(Run.state.in_([RunState.QUEUED, RunState.RUNNING]), Run.lease_until < db_now())
    return and_(waiting, Run.desired == DesiredState.RUN, Run.stalls < STALL_LIMIT)


def most_urgent_first() -> tuple[ColumnElement[Any], ...]:
    """The highest priority; then the experiment with the fewest running runs, so that a small one does not wait for a large one to end.

    Within an experiment the most remaining work, so that the longest run does not end alone; then the oldest.
    """
    other = aliased(Run)
    computing = and_(other.experiment_id == Run.experiment_id, other.state == RunState.RUNNING, other.lease_until >= db_now())
    busy = select(func.count()).select_from(other).where(computing).correlate(Run).scalar_subquery()
    remaining = Run.cost * (Run.steps - func.coalesce(Run.checkpoint_step, 0)) / Run.steps
    return Run.priority.desc(), busy, remaining.desc(), cast(ColumnElement[Any], Run.experiment_id), cast(ColumnElement[Any], Run.index)


def claim_next(session: Session, worker: str, lease_seconds: float, offer: Offer | None = None) -> Claim | None:
    """Claim the most urgent run that suits the offer, by default one for any CPU, rewound to its checkpoint.

    ``None`` if there is none. Two callers never get the same one.
    """
    settle(session)
    offer = offer or Offer()
    chosen = select(Run.id).where(claimable(), suits(offer)).order_by(*most_urgent_first()).limit(1).with_for_update(skip_locked=True)
    taken = update(Run).where(Run.id == chosen.scalar_subquery()).values(_taken(worker, lease_seconds))
    row = session.execute(taken.returning(*_CLAIM_COLUMNS), execution_options=_UNSYNCED).one_or_none()
    if row is None:
        return None
    versions = {"code_version": offer.version(row.spec), "resumed_version": row.checkpoint_version}
    claim = Claim(row.id, row.epoch, worker, lease_seconds, row.spec, row.queue, row.steps, row.seconds, None, **versions)
    _rewind(session, claim.run_id, row.checkpoint_step)
    _close_attempts(session, claim.run_id, "lost: its worker did not renew the lease")
    start = row.checkpoint_step or 0
    session.add(Attempt(run_id=row.id, epoch=row.epoch, worker=worker, from_step=start, to_step=start, **versions))
    add_event(session, row.id, row.seq, "claimed", f"by {worker} from step {start}")
    session.flush()
    if row.checkpoint_step is None:
        return claim
    checkpoint = checkpoint_files(session, claim.run_id, row.checkpoint_step)
    return replace(claim, checkpoint=checkpoint) if checkpoint else fall_back(session, claim, row.checkpoint_step, "has no files")


def fall_back(session: Session, claim: Claim, damaged_step: int, cause: str) -> Claim:
    """Give up a damaged checkpoint for the one before, or for the start, and delete all that was measured after it."""
    steps = select(RunFile.step).where(RunFile.run_id == claim.run_id, RunFile.kind == "state", RunFile.step < damaged_step)
    earlier = (checkpoint_files(session, claim.run_id, step) for step in session.scalars(steps.order_by(RunFile.step.desc())).all() if step)
    checkpoint = next((found for found in earlier if found), None)
    step = checkpoint.step if checkpoint else None
    version = written_by(session, claim.run_id, step or 0)
    pointer = {"checkpoint_step": step, "checkpoint_version": version, "step": step or 0}
    seq = own(session, claim, pointer | ({} if checkpoint else {"code_note": ""}))
    _rewind(session, claim.run_id, step)
    _current_attempt(session, claim, {"from_step": step or 0, "to_step": step or 0, "resumed_version": version})
    add_event(session, claim.run_id, seq, "checkpoint_damaged", f"step {damaged_step} {cause}; resumed from step {step or 0}")
    return replace(claim, checkpoint=checkpoint, resumed_version=version)


def accept_other_code(session: Session, claim: Claim) -> None:
    """Record on the run and in its events that it goes on under other code than wrote its checkpoint.

    Raises:
        FencedError: if the run is no longer this claim's.
    """
    assert claim.checkpoint is not None
    note = f"steps up to {claim.checkpoint.step} computed by {claim.resumed_version}, later ones by {claim.code_version}"
    held = session.scalars(select(Run.code_note).where(Run.id == claim.run_id)).one_or_none() or ""
    known = note in held  # An attempt that died before its first checkpoint is repeated.
    seq = own(session, claim, {"code_note": held if known else "; ".join(filter(None, (held, note)))})
    add_event(session, claim.run_id, seq, "code_version_changed", f"{note}; accepted by the worker's policy")


def finish(session: Session, claim: Claim, state: RunState, reason: str = "", *, detail: str = "") -> None:
    """End the run for good. ``detail``, e.g. a traceback, goes to the run's events only.

    Raises:
        FencedError: if the run is no longer this claim's.
    """
    assert state in TERMINAL_STATES
    seq = own(session, claim, {"state": state, "reason": reason, "lease_until": 0.0, "worker": None, "steps_per_second": None})
    _current_attempt(session, claim, {"ended_at": db_now(), "outcome": f"{state}: {reason}" if reason else str(state)})
    add_event(session, claim.run_id, seq, state, "\n".join(text for text in (reason, detail) if text))
    announce_ends(session, [claim.run_id])


def release(session: Session, claim: Claim, outcome: str, *, trouble: str = "", excused: bool = False, detail: str = "") -> None:
    """Give the run back to the queue. A wake-up must follow the commit; should it get lost, the reconciler sends one.

    ``trouble`` is shown on the run until it makes progress, and makes it wait the longer the more often it came. An
    ``excused`` attempt is no stall: it ended early because the worker was asked to leave, not because of the run.

    Raises:
        FencedError: if the run is no longer this claim's.
    """
    values: dict[str, Any] = {"state": RunState.QUEUED, "lease_until": 0.0, "enqueued_at": 0.0, "worker": None, "steps_per_second": None}
    if trouble:
        values |= {"reason": trouble, "lease_until": db_now() + retry_seconds(Run.stalls)}
    if excused:
        values["stalls"] = func.coalesce(func.nullif(Run.stalls, 0) - 1, 0)
    seq = own(session, claim, values)
    _current_attempt(session, claim, {"ended_at": db_now(), "outcome": outcome})
    add_event(session, claim.run_id, seq, "released", "\n".join(text for text in (outcome, trouble, detail) if text))
    settle(session)


def retry_seconds(stalls: InstrumentedAttribute[int]) -> ColumnElement[float]:
    """How long to wait before the next attempt."""
    return case(dict(enumerate(RETRY_SECONDS)), value=stalls, else_=RETRY_SECONDS[-1])


def settle(session: Session) -> list[str]:
    """Stop or pause the runs that nobody holds, as their owner asked, and fail those that stalled too often."""
    why = func.coalesce(Run.verdict["reason"].as_string(), "stopped on request")
    stopped = _set_unheld(session, Run.desired == DesiredState.STOP, RunState.STOPPED, why)
    paused = and_(Run.desired == DesiredState.PAUSE, Run.state != RunState.PAUSED)
    stalled = and_(Run.desired == DesiredState.RUN, Run.stalls >= STALL_LIMIT)
    return (
        stopped
        + _set_unheld(session, paused, RunState.PAUSED, "paused by its owner")
        + _set_unheld(session, stalled, RunState.FAILED, _STALLED + Run.reason)
    )


_STALLED = (
    f"{STALL_LIMIT} attempts in a row ended without a new checkpoint. See the run's events and the worker's log for what ended them;"
    " then let it go on: tauscope extend RUN STEPS. "
)
_CLAIM_COLUMNS = (Run.id, Run.epoch, Run.seq, Run.spec, Run.queue, Run.steps, Run.seconds, Run.checkpoint_step, Run.checkpoint_version)


def own(session: Session, claim: Claim, values: dict[str, Any]) -> int:
    """Write to the run if it is still this claim's, and return the number of this write.

    Raises:
        FencedError: if it is not.
    """
    mine = and_(Run.id == claim.run_id, Run.epoch == claim.epoch, Run.state == RunState.RUNNING)
    change = update(Run).where(mine).values(seq=Run.seq + 1, updated_at=db_now(), **values)
    seq = session.execute(change.returning(Run.seq), execution_options=_UNSYNCED).scalar_one_or_none()
    if seq is None:
        raise FencedError(f"run {claim.run_id} is no longer held under epoch {claim.epoch}")
    return seq


def add_event(session: Session, run_id: str, seq: int, name: str, detail: str = "") -> None:
    """Record why a run changed."""
    session.add(RunEvent(run_id=run_id, seq=seq, name=name, detail=detail))


def _unheld() -> ColumnElement[bool]:
    # The lease of a queued run only says how long to wait before the next attempt.
    lost = and_(Run.state == RunState.RUNNING, Run.lease_until < db_now())
    return or_(Run.state.in_([RunState.QUEUED, RunState.PAUSED]), lost)


def _taken(worker: str, lease_seconds: float) -> dict[str, Any]:
    return {
        "state": RunState.RUNNING,
        "epoch": Run.epoch + 1,
        "seq": Run.seq + 1,
        "worker": worker,
        "lease_until": db_now() + lease_seconds,
        # Should this worker die, the reconciler need not wait before it sends the next wake-up.
        "enqueued_at": 0.0,
        "updated_at": db_now(),
        "step": func.coalesce(Run.checkpoint_step, 0),
        "code_note": case((Run.checkpoint_step.is_(None), ""), else_=Run.code_note),
        # Counted at once, because an attempt that dies cannot count itself; a new checkpoint clears it.
        "stalls": Run.stalls + 1,
    }


def _set_unheld(session: Session, which: ColumnElement[bool], state: RunState, reason: Any) -> list[str]:
    # Locked rows are somebody's claim or flush in progress; whoever holds them settles them later.
    ids = select(Run.id).where(_unheld(), which).with_for_update(skip_locked=True)
    values = {"state": state, "reason": reason, "worker": None, "steps_per_second": None, "lease_until": 0.0}
    change = update(Run).where(Run.id.in_(ids)).values(seq=Run.seq + 1, updated_at=db_now(), **values)
    rows = session.execute(change.returning(Run.id, Run.seq, Run.reason), execution_options=_UNSYNCED).all()
    for row in rows:
        _close_attempts(session, row.id, f"lost; then {state}")
        add_event(session, row.id, row.seq, state, row.reason)
    if state in TERMINAL_STATES:
        announce_ends(session, [row.id for row in rows])
    return [row.id for row in rows]


def _rewind(session: Session, run_id: str, step: int | None) -> None:
    """Delete what was recorded after ``step``: the resumed run records it again, bit for bit."""
    last = -1 if step is None else step
    series = select(Series.id).where(Series.run_id == run_id)
    session.execute(delete(MetricPoint).where(MetricPoint.series_id.in_(series), MetricPoint.step > last), execution_options=_UNSYNCED)
    for made in (RunFile, Evaluation):
        session.execute(delete(made).where(made.run_id == run_id, made.step > last), execution_options=_UNSYNCED)


def written_by(session: Session, run_id: str, step: int) -> str | None:
    """The code that wrote the checkpoint of a step: that of the last attempt which came from before and reached it."""
    reached = (Attempt.run_id == run_id, Attempt.from_step < step, Attempt.to_step >= step)
    return session.scalars(select(Attempt.code_version).where(*reached).order_by(Attempt.epoch.desc()).limit(1)).one_or_none()


def _close_attempts(session: Session, run_id: str, outcome: str) -> None:
    change = update(Attempt).where(Attempt.run_id == run_id, Attempt.ended_at.is_(None)).values(ended_at=db_now(), outcome=outcome)
    session.execute(change, execution_options=_UNSYNCED)


def _current_attempt(session: Session, claim: Claim, values: dict[str, Any]) -> None:
    change = update(Attempt).where(Attempt.run_id == claim.run_id, Attempt.epoch == claim.epoch).values(**values)
    session.execute(change, execution_options=_UNSYNCED)
