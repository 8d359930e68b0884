"""Writing to a database that may be away for a while."""

import time
from collections.abc import Callable
from typing import TypeVar

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from worker.services import DATABASE_AWAY, Services

T = TypeVar("T")

log = structlog.get_logger()


class AbandonedError(Exception):
    """The database was away for longer than the worker's patience; what was not written is computed again."""


class Persistence:
    """Makes writes for one piece of work, and remembers when the database last answered."""

    def __init__(self, services: Services, run_id: str) -> None:
        self._services = services
        self._run_id = run_id
        self._answered = time.monotonic()

    def attempt(self, write: Callable[[Session], object]) -> bool:
        """Make a write in a transaction of its own; ``False`` if the database is away.

        Raises:
            AbandonedError: if it was away for too long.
        """
        return self.try_once(lambda: self._in_transaction(write))

    def persist(self, write: Callable[[Session], T]) -> T:
        """Make a write that the work cannot go on without; repeat it while the database is away.

        Raises:
            AbandonedError: if it was away for too long.
        """
        results: list[T] = []
        self.patiently(lambda: results.append(self._in_transaction(write)))
        return results[0]

    def patiently(self, work: Callable[[], object]) -> None:
        """Repeat work that asks the database until it answers.

        Raises:
            AbandonedError: if it was away for too long.
        """
        while not self.try_once(work):
            time.sleep(self._services.settings.flush_seconds)

    def try_once(self, work: Callable[[], object]) -> bool:
        """Do work that asks the database; ``False`` if that is away.

        Raises:
            AbandonedError: if it was away for too long.
        """
        try:
            work()
        except DATABASE_AWAY as error:
            self._note_away(error)
            return False
        self._answered = time.monotonic()
        return True

    def _in_transaction(self, write: Callable[[Session], T]) -> T:
        with self._services.sessions.begin() as session:
            return write(session)

    def _note_away(self, error: SQLAlchemyError) -> None:
        away = time.monotonic() - self._answered
        log.warning("database_away", run=self._run_id, seconds=round(away, 1), error=str(error))
        if away > self._services.settings.database_patience_seconds:
            raise AbandonedError(f"the database was away for {away:.0f} s") from error
