"""Hooks in a database, and what waits for them."""

from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from backend.storage.tables import Notification, NotificationAttempt, Run, Webhook
from tauscope.contracts.notifications import SUBSCRIBABLE, Announcement
from tauscope.contracts.onsets import Onset, OnsetStatus

Sessions = sessionmaker[Session]
SECRET = "whsec_" + "QUJD" * 8


def add_hook(
    sessions: Sessions, hook_id: str = "hook", *, url: str = "http://localhost:1/", events: Sequence[str] = SUBSCRIBABLE, **columns: object
) -> str:
    values = {"kind": "http", "secret": SECRET, "enabled": True} | columns
    with sessions.begin() as session:
        session.add(Webhook(id=hook_id, url=url, events=list(events), **values))
    return hook_id


def add_sibling(sessions: Sessions, of: str, run_id: str, **columns: object) -> str:
    """Another run of a run's experiment."""
    with sessions.begin() as session:
        place = {"experiment_id": f"of-{of}", "index": 1, "label": run_id}
        session.add(Run(id=run_id, steps=100, cost=1.0, spec={"kind": "image_ddpm"}, params={}, **place, **columns))
    return run_id


def notifications(sessions: Sessions) -> list[Notification]:
    with sessions() as session:
        return list(session.scalars(select(Notification).order_by(Notification.id)))


def announced(sessions: Sessions) -> list[Announcement]:
    return [Announcement.model_validate(row.payload) for row in notifications(sessions)]


def events(sessions: Sessions) -> list[str]:
    return [row.event for row in notifications(sessions)]


def attempts(sessions: Sessions) -> list[tuple[int, int | None, str]]:
    with sessions() as session:
        rows = session.scalars(select(NotificationAttempt).order_by(NotificationAttempt.notification_id, NotificationAttempt.number))
        return [(row.number, row.status, row.error) for row in rows]


def pass_time(sessions: Sessions, seconds: float) -> None:
    """Let the outbox believe that so much time has passed, without waiting for it."""
    earlier = {"due_at": Notification.due_at - seconds, "lease_until": Notification.lease_until - seconds}
    with sessions.begin() as session:
        session.execute(update(Notification).values(earlier))


def onset(value: float | None, low: float = 0.0, high: float | None = None, metric: str = "f_mem") -> Onset:
    status = OnsetStatus.CENSORED if value is None else OnsetStatus.REACHED
    return Onset(value=value, low=low, high=high, status=status, metric=metric, level=0.25, reason="not by 450" if value is None else "")
