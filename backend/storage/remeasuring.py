"""Checkpoints measured again in another way: asked for once, claimed with a lease, and their points kept beside the run's own."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, select, tuple_, update
from sqlalchemy.orm import Session

from backend.storage.claims import FencedError, add_event, written_by
from backend.storage.database import db_now
from backend.storage.files import CheckpointFiles, checkpoints_up_to
from backend.storage.flush import upsert
from backend.storage.ids import new_id
from backend.storage.leases import bump, claimable, renewed, returned, taken, to_be_done
from backend.storage.offers import Offer, suits_remeasurement
from backend.storage.tables import RemeasuredPoint, RemeasuredStep, Remeasurement, Run
from tauscope.contracts.points import Point
from tauscope.specs import KINDS, SpecError
from tauscope.specs.remeasuring import changes_key, changes_of, reference_of, remeasured

_UNSYNCED = {"synchronize_session": False}


@dataclass(frozen=True)
class RemeasurementClaim:
    """The right to measure a checkpoint again until the lease runs out; every write must carry ``epoch``."""

    remeasurement_id: str
    run_id: str
    step: int
    epoch: int
    worker: str
    lease_seconds: float
    spec: dict[str, Any]
    changes: dict[str, Any]
    checkpoints: tuple[CheckpointFiles, ...]  # Those to measure from; of other code only the one of this very step.
    from_scratch: bool  # Whether it may also be trained again from nothing.
    code_version: str
    beside: tuple[CheckpointFiles, ...] = ()  # Those that the measurement refers to.


def ask_again(session: Session, run_id: str, name: str, changes: Mapping[str, Any], steps: Collection[int]) -> tuple[str, tuple[int, ...]]:
    """Ask for these steps of a run to be measured in this way; returns the set, and the steps that wait for it now.

    The set of the same changes is found again: what it has stays, what failed is tried anew, what is under way goes on.
    """
    seq = bump(session, run_id)  # Locks the run: two equal requests at once make one set.
    key = hashlib.sha256(changes_key(changes).encode()).hexdigest()
    held = session.scalar(select(Remeasurement).where(Remeasurement.run_id == run_id, Remeasurement.key == key))
    if held is None:
        identifier = new_id(session.scalars(select(db_now())).one())
        held = Remeasurement(id=identifier, run_id=run_id, key=key, name=name, changes=dict(changes))
        session.add(held)
        session.flush()
    known = {row.step: row for row in remeasured_steps(session, [held.id])}
    open_again = sorted(step for step in steps if step not in known or _failed(session, known[step]))
    for step in open_again:
        values = {"written_by": written_by(session, run_id, step), "stalls": 0, "lease_until": 0.0, "enqueued_at": 0.0, "reason": ""}
        row = known.get(step) or RemeasuredStep(remeasurement_id=held.id, step=step, epoch=0, renewed_at=0.0)
        for column, value in values.items():
            setattr(row, column, value)
        session.add(row)
    if open_again:
        add_event(session, run_id, seq, "remeasurement_asked", f"{held.name}, at {len(open_again)} steps")
    return held.id, tuple(open_again)


def ask_as_swept(session: Session, run_id: str) -> None:
    """Ask for what its sweep has measured again of a run that is over, where it is one of the plain ones."""
    run = session.get_one(Run, run_id)
    sweep = run.experiment.sweep
    asked = sweep.get("again", ())  # Sweeps from before it was there have none.
    if not asked or set(run.params) != set(sweep["axes"]):
        return
    spec = KINDS[run.spec["kind"]].model_validate(run.spec)
    kept = {item.step for item in checkpoints_up_to(session, run_id, run.checkpoint_step or 0)}
    for item in asked:
        try:
            changes = changes_of(spec, remeasured(spec, item["changes"]))
        except SpecError:  # Another version launched it; its runs must end all the same.
            continue
        steps = kept.intersection(item["steps"] or kept)
        if steps:
            ask_again(session, run_id, item["name"], changes, steps)


def _failed(session: Session, row: RemeasuredStep) -> bool:
    mine = (RemeasuredStep.remeasurement_id == row.remeasurement_id, RemeasuredStep.step == row.step)
    return session.scalar(select(RemeasuredStep.step).where(*mine, gave_up())) is not None


def gave_up() -> ColumnElement[bool]:
    """Steps that nobody tries any more."""
    return and_(RemeasuredStep.finished_at.is_(None), ~to_be_done())


def claim_remeasurement(session: Session, worker: str, lease_seconds: float, offer: Offer) -> RemeasurementClaim | None:
    """Claim the first step that waits to be measured again; ``None`` if there is none. Two callers never get the same one."""
    rows = select(RemeasuredStep.remeasurement_id, RemeasuredStep.step).join(Remeasurement).join(Run)
    waiting = rows.where(claimable(RemeasuredStep), suits_remeasurement(offer))
    first = waiting.order_by(Run.priority.desc(), RemeasuredStep.stalls, RemeasuredStep.remeasurement_id, RemeasuredStep.step).limit(1)
    chosen = session.execute(first.with_for_update(of=RemeasuredStep, skip_locked=True)).one_or_none()
    if chosen is None:
        return None
    mine = tuple_(RemeasuredStep.remeasurement_id, RemeasuredStep.step) == tuple_(*chosen)
    take = update(RemeasuredStep).where(mine, claimable(RemeasuredStep)).values(taken(RemeasuredStep, worker, lease_seconds))
    row = session.execute(take.returning(RemeasuredStep.epoch, RemeasuredStep.written_by), execution_options=_UNSYNCED).one_or_none()
    return None if row is None else _claim(session, *chosen, row.epoch, row.written_by, worker, lease_seconds, offer)


def _claim(
    session: Session, set_id: str, step: int, epoch: int, wrote: str | None, worker: str, lease_seconds: float, offer: Offer
) -> RemeasurementClaim:
    found = session.execute(select(Run.id, Run.spec, Remeasurement.changes).join(Remeasurement).where(Remeasurement.id == set_id)).one()
    checkpoints, version = checkpoints_up_to(session, found.id, step), offer.version(found.spec)
    may_train = offer.accepts_other_code or version == wrote
    usable = checkpoints if may_train else tuple(item for item in checkpoints if item.step == step)
    place = (set_id, found.id, step, epoch, worker, lease_seconds)
    beside = tuple(item for item in checkpoints if item.step == reference_of(found.changes) and item.step < step)
    return RemeasurementClaim(*place, found.spec, found.changes, usable, may_train, version, beside)


def renew_remeasurement(session: Session, claim: RemeasurementClaim) -> None:
    """Keep the lease.

    Raises:
        FencedError: if the step is no longer this claim's, or done, or its set deleted.
    """
    _own(session, claim, {"lease_until": db_now() + claim.lease_seconds})


def complete_remeasurement(session: Session, claim: RemeasurementClaim, points: Sequence[Point], *, from_step: int) -> None:
    """Record what was measured, in the transaction that ends the work: it is there once, or still to be done.

    Args:
        from_step: the checkpoint that it was measured from; 0 where there was none.

    Raises:
        FencedError: as ``renew_remeasurement``.
    """
    bump(session, claim.run_id)
    done = {"finished_at": db_now(), "code_version": claim.code_version, "from_step": from_step, "lease_until": 0.0, "reason": ""}
    _own(session, claim, done)
    rows = {point.metric: {"remeasurement_id": claim.remeasurement_id, **point.model_dump()} for point in points}
    if rows:
        upsert(session, RemeasuredPoint, list(rows.values()), replace=("value", "low", "high", "count", "reason"))


def give_back_remeasurement(session: Session, claim: RemeasurementClaim, trouble: str = "", *, excused: bool = False) -> None:
    """Let another take it, as ``give_back_evaluation`` does.

    Raises:
        FencedError: as ``renew_remeasurement``.
    """
    _own(session, claim, returned(RemeasuredStep, trouble, excused=excused))


def _own(session: Session, claim: RemeasurementClaim, values: dict[str, Any]) -> None:
    mine = (RemeasuredStep.remeasurement_id == claim.remeasurement_id, RemeasuredStep.step == claim.step)
    still = (RemeasuredStep.epoch == claim.epoch, RemeasuredStep.finished_at.is_(None))
    change = update(RemeasuredStep).where(*mine, *still).values(renewed(claim.worker, values))
    if session.execute(change.returning(RemeasuredStep.step), execution_options=_UNSYNCED).one_or_none() is None:
        raise FencedError(f"step {claim.step} of run {claim.run_id} is no longer measured again under epoch {claim.epoch}")


def remeasurements_of(session: Session, run_ids: Sequence[str]) -> list[Remeasurement]:
    """The sets of these runs, the oldest first."""
    return list(session.scalars(select(Remeasurement).where(Remeasurement.run_id.in_(run_ids)).order_by(Remeasurement.id)))


def remeasured_steps(session: Session, set_ids: Sequence[str]) -> list[RemeasuredStep]:
    """The steps of these sets, by set and step."""
    query = select(RemeasuredStep).where(RemeasuredStep.remeasurement_id.in_(set_ids))
    return list(session.scalars(query.order_by(RemeasuredStep.remeasurement_id, RemeasuredStep.step)))


def remeasured_points(session: Session, set_ids: Sequence[str]) -> dict[str, list[Point]]:
    """The points of these sets, by metric and step."""
    query = select(RemeasuredPoint).where(RemeasuredPoint.remeasurement_id.in_(set_ids))
    found: dict[str, list[Point]] = {set_id: [] for set_id in set_ids}
    for row in session.scalars(query.order_by(RemeasuredPoint.metric, RemeasuredPoint.step)):
        found[row.remeasurement_id].append(Point.model_construct(**{name: getattr(row, name) for name in Point.model_fields}))
    return found


def delete_remeasurement(session: Session, run_id: str, set_id: str) -> bool:
    """Delete a set with its points, and what is still to be measured of it; whether it was there."""
    bump(session, run_id)
    gone = delete(Remeasurement).where(Remeasurement.id == set_id, Remeasurement.run_id == run_id).returning(Remeasurement.id)
    return session.execute(gone, execution_options=_UNSYNCED).one_or_none() is not None
