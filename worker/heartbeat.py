"""A worker's row in the database: who it is, what it computes on, and when it was last heard of."""

import threading
from collections.abc import Callable

import structlog
from sqlalchemy import delete
from sqlalchemy.orm import Session

from backend.storage.database import db_now
from backend.storage.tables import Worker
from worker.services import DATABASE_AWAY, Services
from worker.slots import SlotPool

log = structlog.get_logger()


class Heartbeat:
    """Writes the row every few seconds, and removes it in the end."""

    def __init__(self, services: Services, pool: SlotPool) -> None:
        self._services = services
        self._pool = pool
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
            self._write(lambda session: session.merge(self._row()))
            if self._ended.wait(self._services.settings.heartbeat_seconds):
                return

    def _row(self) -> Worker:
        settings = self._services.settings
        return Worker(name=settings.worker_name, device=self._pool.device, slots=settings.slots, busy=self._pool.busy, seen_at=db_now())

    def _write(self, change: Callable[[Session], object]) -> None:
        try:
            with self._services.sessions.begin() as session:
                change(session)
        except DATABASE_AWAY as error:
            log.warning("database_away", error=str(error))
