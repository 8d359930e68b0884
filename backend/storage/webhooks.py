"""Hooks and what was sent to them, as the API shows them; and the mailbox that the settings name."""

from collections.abc import Sequence

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from backend.storage.tables import Notification, NotificationAttempt, Webhook

EMAIL_ID = "email"


def hooks(session: Session) -> list[Webhook]:
    """Every hook, oldest first."""
    return list(session.scalars(select(Webhook).order_by(Webhook.created_at, Webhook.id)))


def latest_tried(session: Session) -> dict[str, Notification]:
    """By hook, its newest notification that was tried."""
    return _newest(session, Notification.attempts > 0)


def latest_troubles(session: Session) -> dict[str, Notification]:
    """By hook, its newest notification that was given up, or whose last attempt failed."""
    failing = and_(Notification.state == "pending", Notification.reason != "")
    return _newest(session, or_(Notification.state == "given_up", failing))


def deliveries_of(session: Session, hook_id: str, limit: int) -> list[Notification]:
    """What was or is to be sent to a hook, newest first."""
    return list(
        session.scalars(select(Notification).where(Notification.webhook_id == hook_id).order_by(Notification.id.desc()).limit(limit))
    )


def attempts_of(session: Session, notification_ids: Sequence[str]) -> dict[str, list[NotificationAttempt]]:
    """By notification, its attempts in order."""
    rows = select(NotificationAttempt).where(NotificationAttempt.notification_id.in_(notification_ids))
    found: dict[str, list[NotificationAttempt]] = {}
    for attempt in session.scalars(rows.order_by(NotificationAttempt.notification_id, NotificationAttempt.number)):
        found.setdefault(attempt.notification_id, []).append(attempt)
    return found


def set_mailbox(session: Session, recipients: Sequence[str], events: Sequence[str]) -> None:
    """Make the hook of the mailbox say what the settings say; without recipients it is told nothing more, and its log stays."""
    hook = session.get(Webhook, EMAIL_ID)
    if hook is None and not recipients:
        return
    if hook is None:
        hook = Webhook(id=EMAIL_ID, kind="email", secret="", url="", enabled=True)
        session.add(hook)
    hook.enabled = bool(recipients)
    if recipients:
        hook.url, hook.events = f"mailto:{','.join(recipients)}", list(events)


def _newest(session: Session, which: object) -> dict[str, Notification]:
    # Ids sort by time of creation.
    newest = select(func.max(Notification.id)).where(which).group_by(Notification.webhook_id)  # type: ignore[arg-type]
    return {row.webhook_id: row for row in session.scalars(select(Notification).where(Notification.id.in_(newest)))}
