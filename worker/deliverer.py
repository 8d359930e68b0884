"""Sending what the outbox holds, beside the reconciler: a slow receiver holds up no wake-up, and no other receiver."""

import json
import random
import time
from collections.abc import Callable
from concurrent.futures import Future

import structlog
from pydantic import ValidationError
from sqlalchemy.orm import Session, sessionmaker

from backend.storage.deliveries import Delivery, Outcome, anything_due, claim_delivery, keep_house, record_outcome
from backend.storage.reading import reading
from backend.storage.webhooks import set_mailbox
from tauscope.contracts.notifications import Announcement
from worker.background import in_background
from worker.mailing import mail
from worker.posting import post
from worker.services import DATABASE_AWAY
from worker.settings import WorkerSettings

SENDERS = 4
HOUSE_SECONDS = 60.0

log = structlog.get_logger()


class Deliverer:
    """Starts senders while there is something to send, each in a thread of its own."""

    def __init__(self, sessions: sessionmaker[Session], settings: WorkerSettings, *, chance: Callable[[], float] = random.random) -> None:
        self._sessions = sessions
        self._settings = settings
        self._chance = chance
        self._kinds = ("http", "email") if settings.recipients else ("http",)
        self._running: list[Future[int]] = []
        self._house_due = time.monotonic()
        self._named = False

    def start_if_due(self) -> None:
        """Start one more sender if anything waits that nobody sends. What a sender meets is logged."""
        over = [sender for sender in self._running if sender.done()]
        self._running = [sender for sender in self._running if not sender.done()]
        for sender in over:
            _report(sender)
        self._keep_house()
        with reading(self._sessions) as session:
            due = anything_due(session, self._kinds)
        if due and len(self._running) < SENDERS:
            self._running.append(in_background(self.send_due, name="notifications"))

    def send_due(self) -> int:
        """Send until nothing is due, and return how many attempts were made."""
        made = 0
        while delivery := self._claim():
            outcome = self._attempt(delivery)
            with self._sessions.begin() as session:
                record_outcome(session, delivery, outcome, chance=self._chance())
            _log_outcome(delivery, outcome)
            made += 1
        return made

    def _claim(self) -> Delivery | None:
        with self._sessions.begin() as session:
            return claim_delivery(session, self._kinds)

    def _attempt(self, delivery: Delivery) -> Outcome:
        try:
            said = _linked(Announcement.model_validate(delivery.payload), self._settings.public_url)
        except ValidationError as error:
            return Outcome(0.0, error=f"another version of Tauscope wrote it: {error.errors()[0]['msg']}", hopeless=True)
        if delivery.kind == "email":
            return mail(delivery, said, self._settings)
        body = json.dumps(said.model_dump(mode="json"), separators=(",", ":")).encode()
        return post(delivery, body, allow_private=self._settings.webhooks_private)

    def _keep_house(self) -> None:
        if time.monotonic() < self._house_due:
            return
        with self._sessions.begin() as session:
            if not self._named:
                set_mailbox(session, self._settings.recipients, self._settings.smtp_events.split(","))
            keep_house(session)
        self._named = True
        self._house_due = time.monotonic() + HOUSE_SECONDS


def _linked(said: Announcement, public_url: str) -> Announcement:
    """With whole addresses, where it is known how browsers reach the dashboard."""
    links = {name: public_url.rstrip("/") + address for name, address in said.links.items()}
    return said.model_copy(update={"links": links})


def _log_outcome(delivery: Delivery, outcome: Outcome) -> None:
    # Without the hook's address: it may hold what only its owner shall know.
    about = {"hook": delivery.hook_id, "delivery": delivery.id, "announced": delivery.event, "attempt": delivery.number}
    if outcome.error:
        log.warning("notification_not_delivered", **about, status=outcome.status, error=outcome.error)
    else:
        log.info("notification_delivered", **about, status=outcome.status, seconds=round(outcome.seconds, 2))


def _report(ended: Future[int]) -> None:
    try:
        ended.result()
    except DATABASE_AWAY as error:
        log.warning("notifications_not_sent", error=str(error))
