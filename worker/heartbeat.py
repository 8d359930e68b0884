"""A worker's row in the database: who it is, what it offers, when it was last heard of; and whether it is asked to drain."""

import threading
from collections.abc import Callable

import structlog
from sqlalchemy import delete
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from backend.storage.database import db_now
from backend.storage.tables import Worker
from worker.devices import brief
from worker.intake import Intake
from worker.offering import offer_of
from worker.services import DATABASE_AWAY, Services
from worker.slots import SlotPool

log = structlog.get_logger()


class Heartbeat:
    """Writes the row every few seconds, reads the wish in it, and removes it in the end."""

    def __init__(self, services: Services, pool: SlotPool, intake: Intake) -> None:
        self._services = services
        self._pool = pool
        self._intake = intake
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the thread and remove the row."""
        self._ended.set()
        self._thread.join(timeout=2.0)
        self._write(lambda session: session.execute(delete(Worker).where(Worker.name == self._services.settings.worker_name)))

    def _beat(self) -> None:
        while True:
            self._write(self.beat)
            if self._ended.wait(self._services.settings.heartbeat_seconds):
                return

    def beat(self, session: Session) -> None:
        """Write the row, and obey the wish that stands in it, which only its operator changes."""
        row, draining = self._row(), self._services.draining
        held = session.get(Worker, row.name)
        if held is None:
            row.draining = draining.is_set()  # The row was cleared away while the database could not be reached.
        session.merge(row)
        if held is not None and held.draining != draining.is_set():
            self._obey(held.draining)

    def _obey(self, drain: bool) -> None:
        log.info("draining" if drain else "drained_no_longer", name=self._services.settings.worker_name)
        if drain:
            self._services.draining.set()
            self._intake.close()
        else:
            self._services.draining.clear()
            self._intake.open()

    def _row(self) -> Worker:
        settings, offer = self._services.settings, offer_of(self._services.settings, self._pool)
        return Worker(
            name=settings.worker_name,
            device=brief(self._pool.devices),
            slots=settings.slots,
            busy=self._pool.busy,
            queues=list(offer.queues),
            code_version=offer.code_version,
            code_version_policy=settings.code_version_policy,
            seen_at=db_now(),
        )

    def _write(self, change: Callable[[Session], object]) -> None:
        try:
            with self._services.sessions.begin() as session:
                change(session)
        except DATABASE_AWAY as error:
            log.warning("database_away", error=str(error))
        except StaleDataError:
            log.warning("row_cleared_away", name=self._services.settings.worker_name)  # In this very moment; the next beat writes it anew.
