"""Hooks: adding and removing them, trying them out, and how their deliveries fare."""

from collections.abc import Sequence

import structlog
from sqlalchemy.orm import Session

from backend.services.context import Context
from backend.services.errors import FixedHookError, UnknownHookError
from backend.services.experiments import invalid_field, required
from backend.storage import deliveries, webhooks
from backend.storage.announcements import announce_test
from backend.storage.census import server_time
from backend.storage.ids import new_id
from backend.storage.reading import reading
from backend.storage.receivers import ReceiverRefusedError, parse_receiver
from backend.storage.tables import Notification, NotificationAttempt, Webhook
from tauscope.client.webhooks import SignatureError, check_secret, new_secret
from tauscope.contracts.notifications import AttemptNews, DeliveryView, HookCreate, HookCreated, HookView

MAX_HOOKS = 100
SHOWN = 100

log = structlog.get_logger()


def hooks(context: Context) -> tuple[HookView, ...]:
    """Every hook, oldest first."""
    with reading(context.sessions) as session:
        return _views(session, webhooks.hooks(session))


def create(context: Context, request: HookCreate) -> HookCreated:
    """Add a hook, and return it with its secret.

    Raises:
        InvalidRequestError: if nothing may be sent to the address, the secret is none, or there are too many hooks.
        UnknownExperimentError: if it is of an experiment that is not there.
    """
    _check_url(context, request.url)
    secret = _secret(request)
    with context.sessions.begin() as session:
        if len(webhooks.hooks(session)) >= MAX_HOOKS:
            raise invalid_field("url", f"would be the hook after the {MAX_HOOKS}th", "Delete one that is not needed")
        if request.experiment_id is not None:
            required(session, request.experiment_id)
        hook = Webhook(id=new_id(server_time(session)), kind="http", secret=secret, **request.model_dump(mode="json", exclude={"secret"}))
        session.add(hook)
        session.flush()
        session.refresh(hook)
        view = _views(session, [hook])[0]
    log.info("hook_created", hook=hook.id)
    return HookCreated(**view.model_dump(), secret=secret)


def delete(context: Context, hook_id: str) -> None:
    """Remove a hook with its deliveries, those that wait included.

    Raises:
        UnknownHookError: if there is none.
        FixedHookError: if it is that of the settings.
    """
    with context.sessions.begin() as session:
        session.delete(_changeable(session, hook_id))
    log.info("hook_deleted", hook=hook_id)


def set_enabled(context: Context, hook_id: str, enabled: bool) -> HookView:
    """Let a hook be told, or not; what waits for one that is not waits on.

    Raises:
        UnknownHookError: if there is none.
        FixedHookError: if it is that of the settings.
    """
    with context.sessions.begin() as session:
        hook = _changeable(session, hook_id)
        hook.enabled = enabled
        session.flush()
        return _views(session, [hook])[0]


def try_out(context: Context, hook_id: str) -> DeliveryView:
    """Send a hook something to try it with; the delivery tells how it went.

    Raises:
        UnknownHookError: if there is none.
        FixedHookError: if it is the mailbox, and no reconciler has a mail server.
    """
    with context.sessions.begin() as session:
        hook = _required_hook(session, hook_id)
        if hook.kind == "email" and not hook.enabled:
            raise FixedHookError("The reconciler was started without a mail server", "Set TAUSCOPE_SMTP_URL, and start it anew")
        delivery_id = announce_test(session, hook)
        return _delivery_views(session, [session.get_one(Notification, delivery_id)])[0]


def deliveries_of(context: Context, hook_id: str) -> tuple[DeliveryView, ...]:
    """What was or is to be sent to a hook, newest first, with every attempt.

    Raises:
        UnknownHookError: if there is none.
    """
    with reading(context.sessions) as session:
        _required_hook(session, hook_id)
        return _delivery_views(session, webhooks.deliveries_of(session, hook_id, SHOWN))


def _check_url(context: Context, url: str) -> None:
    try:
        parse_receiver(url, allow_private=context.settings.webhooks_private)
    except ReceiverRefusedError as error:
        raise invalid_field("url", f"is refused: {error.message}", error.remedy) from error


def _secret(request: HookCreate) -> str:
    if request.secret is None:
        return new_secret()
    try:
        return check_secret(request.secret.get_secret_value())
    except SignatureError as error:
        raise invalid_field("secret", f"is refused: {error}", "Leave it out, and one is made") from error


def _required_hook(session: Session, hook_id: str) -> Webhook:
    hook = session.get(Webhook, hook_id)
    if hook is None:
        raise UnknownHookError(hook_id)
    return hook


def _changeable(session: Session, hook_id: str) -> Webhook:
    hook = _required_hook(session, hook_id)
    if hook.kind == "email":
        raise FixedHookError("The mailbox is that of the settings", "Change TAUSCOPE_SMTP_TO, and start the reconciler anew")
    return hook


def _views(session: Session, found: Sequence[Webhook]) -> tuple[HookView, ...]:
    counts = deliveries.count_by_state(session)
    tried, troubles = webhooks.latest_tried(session), webhooks.latest_troubles(session)
    views = {view.id: view for view in _delivery_views(session, [*tried.values(), *troubles.values()])}
    return tuple(
        HookView(
            id=hook.id,
            kind="email" if hook.kind == "email" else "http",
            url=hook.url,
            events=tuple(hook.events),
            experiment_id=hook.experiment_id,
            enabled=hook.enabled,
            created_at=hook.created_at,
            pending=counts.get((hook.id, "pending"), 0),
            given_up=counts.get((hook.id, "given_up"), 0),
            last=views[tried[hook.id].id] if hook.id in tried else None,
            trouble=views[troubles[hook.id].id] if hook.id in troubles else None,
        )
        for hook in found
    )


def _delivery_views(session: Session, found: Sequence[Notification]) -> tuple[DeliveryView, ...]:
    attempts = webhooks.attempts_of(session, [row.id for row in found])
    return tuple(_delivery_view(row, attempts.get(row.id, [])) for row in found)


def _delivery_view(row: Notification, attempts: Sequence[NotificationAttempt]) -> DeliveryView:
    about = {name: getattr(row, name) for name in DeliveryView.model_fields if name not in ("hook_id", "attempts")}
    news = [AttemptNews(**{name: getattr(item, name) for name in AttemptNews.model_fields}) for item in attempts]
    return DeliveryView(**about, hook_id=row.webhook_id, attempts=tuple(news))
