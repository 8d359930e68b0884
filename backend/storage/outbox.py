"""Wake-up messages. The database owns the runs; a message only tells some worker that there is one to claim."""

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import structlog
from celery import Celery
from kombu.exceptions import ChannelError, OperationalError
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from backend.storage.claims import claimable, most_urgent_first
from backend.storage.database import db_now
from backend.storage.evaluations import mark_evaluations_enqueued
from backend.storage.reading import reading
from backend.storage.tables import Run
from tauscope.contracts.runs import DEFAULT_QUEUE

Work = Literal["train", "evaluate"]
TASKS: dict[Work, str] = {"train": "worker.wake", "evaluate": "worker.evaluate"}

log = structlog.get_logger()

# Seconds within which a broker that is away must be noticed: a request of the API waits for it.
_PATIENCE = {
    "socket_connect_timeout": 1.0,
    "socket_timeout": 1.0,
    "max_retries": 0,
    "interval_start": 0,
    "interval_step": 0,
    "interval_max": 0,
}


def broker_queue(queue: str, work: Work = "train") -> str:
    """The broker's list of wake-ups for one kind of work of a queue."""
    return f"{work}.{queue}"


def celery_settings() -> dict[str, Any]:
    """The Celery settings that producers and workers share.

    Whether a message comes early, late, twice or never does not matter: only a claim in the database gives the right to
    compute, and the reconciler sends what was lost.
    """
    return {
        "task_default_queue": broker_queue(DEFAULT_QUEUE),
        "task_ignore_result": True,
        "task_serializer": "json",
        "accept_content": ["json"],
        "worker_prefetch_multiplier": 1,
        "worker_disable_prefetch": True,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "worker_enable_remote_control": False,
        "worker_send_task_events": False,
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
        "broker_connection_retry": True,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
    }


class Outbox:
    """Sends wake-ups; holds connections but no state that matters."""

    def __init__(self, broker_url: str) -> None:
        self._app = Celery("tauscope", broker=broker_url, set_as_current=False)
        self._app.conf.update(celery_settings())
        self._app.conf.broker_transport_options |= _PATIENCE

    def wake(self, runs: Sequence[tuple[str, str]], work: Work = "train") -> list[str]:
        """Send a wake-up for each run, given with its queue, and return the ids that were sent; a broker that is away is logged."""
        sent: list[str] = []
        try:
            with self._app.producer_pool.acquire(block=True) as producer:
                for run_id, queue in runs:
                    name = broker_queue(queue, work)
                    self._app.send_task(TASKS[work], args=[run_id], queue=name, producer=producer, retry=False, ignore_result=True)
                    sent.append(run_id)
        except (OperationalError, *self._app.connection_for_write().connection_errors) as error:
            log.warning("broker_away", unsent=len(runs) - len(sent), error=str(error))
        return sent

    def depth(self, *queues: str, work: Work = "train") -> int:
        """How many wake-ups wait in the broker for these queues, by default for the default one; 0 where it cannot be asked."""
        try:
            with self._app.connection_for_read() as connection:
                return sum(_waiting(connection.default_channel, broker_queue(queue, work)) for queue in queues or (DEFAULT_QUEUE,))
        except (OperationalError, *self._app.connection_for_read().connection_errors) as error:
            log.warning("broker_away", error=str(error))
            return 0

    def close(self) -> None:
        """Close the connections to the broker."""
        self._app.close()


def send_wakeups(sessions: sessionmaker[Session], outbox: Outbox, run_ids: Sequence[str], work: Work = "train") -> int:
    """Send wake-ups for committed runs, and remember those that went out; the reconciler sends the rest later.

    To have several checkpoints of a run evaluated, name it as often.
    """
    if not run_ids:
        return 0
    with reading(sessions) as session:
        queues = {row.id: row.queue for row in session.execute(select(Run.id, Run.queue).where(Run.id.in_(run_ids)))}
    sent = outbox.wake([(run_id, queues[run_id]) for run_id in run_ids if run_id in queues], work)
    if sent:
        with sessions.begin() as session:
            (_mark_enqueued if work == "train" else mark_evaluations_enqueued)(session, sent)
    return len(sent)


def stale_runs(session: Session, *, stale_seconds: float, limit: int = 1000) -> dict[str, list[str]]:
    """Runs that anybody may claim and for which no wake-up went out lately, by queue, the most urgent first."""
    stale = (claimable(), Run.enqueued_at < db_now() - stale_seconds)
    # The limit holds for each queue by itself: one that nobody serves must not crowd out the others.
    return {
        queue: list(session.scalars(select(Run.id).where(*stale, Run.queue == queue).order_by(*most_urgent_first()).limit(limit)))
        for queue in session.scalars(select(Run.queue).where(*stale).distinct()).all()
    }


def _waiting(channel: Any, name: str) -> int:
    try:
        return int(channel.queue_declare(name, passive=True).message_count)
    except ChannelError:
        return 0  # No message was ever sent, or the broker lost its data.


def _mark_enqueued(session: Session, run_ids: Iterable[str]) -> None:
    # A run that was claimed meanwhile keeps its 0, so that it is woken at once should that worker die.
    session.execute(update(Run).where(Run.id.in_(list(run_ids)), claimable()).values(enqueued_at=db_now()))
