"""Notifications on their way: claimed with a lease, tried, recorded, tried again later, or given up."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, exists, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from backend.storage.clock_steps import SLACK_SECONDS
from backend.storage.database import db_now
from backend.storage.tables import Notification, NotificationAttempt, Webhook

LEASE_SECONDS = 120.0  # Several times what an attempt may take; what its sender did not live to record is tried again then.
KEPT_SECONDS = 30 * 86400.0
ATTEMPT_LIMIT = 10
FIRST_RETRY, GROWTH, LONGEST_RETRY = 10.0, 3.0, 6 * 3600.0
JITTER = 0.2
LOST = "the sender died before it heard an answer"
_UNSYNCED = {"synchronize_session": False}


@dataclass(frozen=True)
class Delivery:
    """The right to make one attempt until the lease runs out. ``id`` is the same in every attempt, ``number`` counts them from 1."""

    id: str
    number: int
    hook_id: str
    kind: str
    url: str = field(repr=False)  # No log or traceback shall tell.
    secret: str = field(repr=False)
    event: str
    payload: dict[str, Any] = field(repr=False)


@dataclass(frozen=True)
class Outcome:
    """How an attempt ended: ``error`` is empty if it was delivered; with ``hopeless`` another attempt would end the same."""

    seconds: float
    status: int | None = None
    error: str = ""
    hopeless: bool = False
    remark: str = ""  # What is worth noting of a delivery that went out.


def retry_after(number: int, chance: float) -> float | None:
    """Seconds between a failed attempt and the next, longer each time; ``chance`` in [0, 1] spreads them. ``None`` after the last."""
    if number >= ATTEMPT_LIMIT:
        return None
    return min(LONGEST_RETRY, FIRST_RETRY * GROWTH ** (number - 1)) * (1 + JITTER * (2 * chance - 1))


def anything_due(session: Session, kinds: Sequence[str]) -> bool:
    """Whether there is anything to claim, or to bring to an end."""
    return bool(session.scalar(select(exists(select(Notification.id).join(Webhook).where(_due(kinds))))))


def claim_delivery(session: Session, kinds: Sequence[str], *, lease_seconds: float = LEASE_SECONDS) -> Delivery | None:
    """Claim the notification that waits longest, of a hook that nobody sends to now; ``None`` if there is none.

    Two callers never get the same one: on SQLite they take turns, on Postgres one skips what the other has locked.
    """
    waiting = select(Notification.id, Notification.attempts, Notification.webhook_id).join(Webhook).where(_due(kinds))
    # The hook's row is locked too, in the way that lets others refer to it meanwhile.
    locked = waiting.with_for_update(of=(Notification, Webhook), key_share=True, skip_locked=True)
    chosen = session.execute(locked.order_by(Notification.due_at, Notification.id).limit(1)).one_or_none()
    # Asked again, now that nobody else can claim: Postgres may have chosen by a moment before another's commit.
    if chosen is None or session.scalar(select(exists().where(Notification.webhook_id == chosen.webhook_id, _leased(Notification)))):
        return None
    if chosen.attempts >= ATTEMPT_LIMIT:
        _give_up(session, chosen.id, f"{ATTEMPT_LIMIT} attempts failed; the last: {LOST}")
        return claim_delivery(session, kinds, lease_seconds=lease_seconds)
    values = {"attempts": Notification.attempts + 1, "lease_until": db_now() + lease_seconds}
    session.execute(update(Notification).where(Notification.id == chosen.id).values(values), execution_options=_UNSYNCED)
    row = session.get_one(Notification, chosen.id, populate_existing=True)
    session.add(NotificationAttempt(notification_id=row.id, number=row.attempts))
    hook = session.get_one(Webhook, row.webhook_id, populate_existing=True)
    return Delivery(row.id, row.attempts, hook.id, hook.kind, hook.url, hook.secret, row.event, row.payload)


def record_outcome(session: Session, delivery: Delivery, outcome: Outcome, *, chance: float) -> None:
    """Record how an attempt ended, and with it whether and when there is another.

    A failure counts only while no other attempt has begun since; a success always, for the receiver has it.
    """
    mine = and_(NotificationAttempt.notification_id == delivery.id, NotificationAttempt.number == delivery.number)
    told = {"seconds": outcome.seconds, "status": outcome.status, "error": outcome.error or outcome.remark}
    session.execute(update(NotificationAttempt).where(mine).values(told), execution_options=_UNSYNCED)
    pending = and_(Notification.id == delivery.id, Notification.state == "pending")
    if not outcome.error:
        values: dict[str, Any] = {"state": "delivered", "lease_until": 0.0, "reason": outcome.remark}
        session.execute(update(Notification).where(pending).values(values), execution_options=_UNSYNCED)
        return
    wait = None if outcome.hopeless else retry_after(delivery.number, chance)
    if wait is None:
        why = outcome.error if outcome.hopeless else f"{delivery.number} attempts failed; the last: {outcome.error}"
        values = {"state": "given_up", "lease_until": 0.0, "reason": why}
    else:
        values = {"due_at": db_now() + wait, "lease_until": 0.0, "reason": outcome.error}
    change = update(Notification).where(pending, Notification.attempts == delivery.number).values(values)
    session.execute(change, execution_options=_UNSYNCED)


def keep_house(session: Session) -> None:
    """Bring back what a database clock that was set back left in the far future, and forget what ended a month ago."""
    late = Notification.due_at > db_now() + LONGEST_RETRY * (1 + JITTER) + SLACK_SECONDS
    session.execute(update(Notification).where(_PENDING, late).values(due_at=db_now()), execution_options=_UNSYNCED)
    held = Notification.lease_until > db_now() + LEASE_SECONDS + SLACK_SECONDS
    session.execute(update(Notification).where(_PENDING, held).values(lease_until=0.0), execution_options=_UNSYNCED)
    old = and_(~_PENDING, Notification.created_at < db_now() - KEPT_SECONDS)
    session.execute(delete(Notification).where(old), execution_options=_UNSYNCED)


_PENDING = Notification.state == "pending"


def _due(kinds: Sequence[str]) -> ColumnElement[bool]:
    """What may be tried now. A hook is sent one notification at a time, so that a slow one holds up no other."""
    other = aliased(Notification)
    sending = exists().where(other.webhook_id == Notification.webhook_id, _leased(other))
    # A disabled hook may still be tried out.
    wanted = or_(Webhook.enabled, Notification.event == "test")
    return and_(_PENDING, Notification.due_at <= db_now(), Webhook.kind.in_(kinds), wanted, ~sending)


def _leased(table: type[Notification]) -> ColumnElement[bool]:
    """Whether somebody sends it now."""
    return and_(table.state == "pending", table.lease_until >= db_now())


def _give_up(session: Session, notification_id: str, reason: str) -> None:
    values = {"state": "given_up", "lease_until": 0.0, "reason": reason}
    session.execute(update(Notification).where(Notification.id == notification_id).values(values), execution_options=_UNSYNCED)


def count_by_state(session: Session) -> dict[tuple[str, str], int]:
    """How many notifications of each hook are in each state."""
    query = select(Notification.webhook_id, Notification.state, func.count()).group_by(Notification.webhook_id, Notification.state)
    return {(hook, state): count for hook, state, count in session.execute(query)}
