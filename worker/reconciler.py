"""Sends lost messages, refines ended runs, chooses runs to explore, compares twins, collects garbage: ``python -m worker.reconciler``.

Any number may run; none leads.
"""

import queue
import signal

import structlog
from sqlalchemy import delete
from sqlalchemy.orm import Session, sessionmaker

from backend.storage.claims import settle
from backend.storage.clock_steps import bring_back
from backend.storage.database import db_now, open_database, session_factory
from backend.storage.evaluations import stale_evaluations
from backend.storage.outbox import Outbox, Work, send_wakeups, stale_runs
from backend.storage.tables import Worker
from worker.collector import Collector
from worker.comparing import Comparer
from worker.deliverer import Deliverer
from worker.exploring import Explorer
from worker.logs import configure_logs
from worker.reconciler_health import forget_rounds, note_round
from worker.refining import refine_ended
from worker.schema import await_schema
from worker.services import DATABASE_AWAY
from worker.settings import WorkerSettings, read_settings

FORGOTTEN_SECONDS = 600.0

log = structlog.get_logger()


def reconcile(sessions: sessionmaker[Session], outbox: Outbox, *, stale_seconds: float) -> int:
    """Wake workers for runs that wait without a recent wake-up, end those that shall not go on, and refine those that ended.

    No more is sent to a queue than it lacks: runs may wait for long behind busy workers, or for a worker of their queue,
    and their messages are there.
    Returns how many wake-ups went out.
    """
    refine_ended(sessions)
    with sessions.begin() as session:
        if set_back := bring_back(session):
            log.warning("database_clock_set_back", runs=set_back)
        settle(session)
        session.execute(delete(Worker).where(Worker.seen_at < db_now() - FORGOTTEN_SECONDS))
        stale: dict[Work, dict[str, list[str]]] = {
            "train": stale_runs(session, stale_seconds=stale_seconds),
            "evaluate": stale_evaluations(session, stale_seconds=stale_seconds),
        }
    sent = sum(send_wakeups(sessions, outbox, _missing(outbox, by_queue, work), work) for work, by_queue in stale.items())
    if sent:
        log.info("wakeups_sent", runs=sent)
    return sent


def _missing(outbox: Outbox, stale: dict[str, list[str]], work: Work) -> list[str]:
    return [run for queue, runs in stale.items() for run in runs[: max(0, len(runs) - outbox.depth(queue, work=work))]]


def main() -> None:
    """Reconcile every few seconds until SIGTERM or SIGINT."""
    configure_logs()
    settings = read_settings()
    # Of all the ways to wake a thread, putting into this queue is the one that a signal handler may use.
    stop: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: stop.put(number))
    engine = open_database(settings.database_url)
    await_schema(engine, ended=lambda: not stop.empty())
    sessions = session_factory(engine)
    outbox = Outbox(settings.broker_url)
    collector, deliverer = Collector(sessions, settings), Deliverer(sessions, settings)
    comparer, explorer = Comparer(sessions, settings), Explorer(sessions, outbox)
    log.info("reconciler_started")
    while not _asked(stop, settings.reconcile_seconds):
        collector.start_if_due()
        comparer.start_if_due()
        try:
            reconcile(sessions, outbox, stale_seconds=settings.stale_seconds)
            deliverer.start_if_due()
            explorer.start_if_due()
        except DATABASE_AWAY as error:
            log.warning("database_away", error=str(error))
        _note_round(settings)
    outbox.close()
    forget_rounds(settings)


def _note_round(settings: WorkerSettings) -> None:
    try:
        note_round(settings)
    except OSError as error:
        log.warning("round_not_noted", error=str(error))  # A full disk is no reason to send no wake-ups.


def _asked(stop: "queue.SimpleQueue[int]", seconds: float) -> bool:
    try:
        stop.get(timeout=seconds)
    except queue.Empty:
        return False
    return True


if __name__ == "__main__":
    main()
