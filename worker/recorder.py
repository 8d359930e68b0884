"""Writes a segment's results and keeps its lease, also while the database is away for a while."""

import time
from collections.abc import Callable
from typing import TypeVar

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from backend.storage.claims import Claim
from backend.storage.flush import flush
from tauscope.contracts.runs import DesiredState
from tauscope.execution.events import Progress, TrainerEvent
from worker.outgoing import Outgoing
from worker.services import DATABASE_AWAY, Services
from worker.summaries import record_summary

T = TypeVar("T")

log = structlog.get_logger()


class AbandonedError(Exception):
    """The database was away for longer than the worker's patience; what was not written is computed again."""


class Recorder:
    """The one who writes under a claim."""

    def __init__(self, claim: Claim, services: Services, outgoing: Outgoing) -> None:
        self.claim = claim
        self.outgoing = outgoing
        self.desired = DesiredState.RUN
        self._services = services
        self._started = self._answered = self._due = time.monotonic()
        self._step = claim.checkpoint.step if claim.checkpoint else 0
        self._speed: float | None = None
        self._unsummarized = False

    @property
    def done(self) -> bool:
        """Whether everything that the child sent is written."""
        return self.outgoing.empty and not self._unsummarized

    def note(self, event: TrainerEvent) -> None:
        """Take in what the child reports."""
        self.outgoing.add(event)
        self._step = max(self._step, getattr(event, "step", 0))
        if isinstance(event, Progress):
            self._speed = event.steps_per_second

    def rewind(self, claim: Claim) -> None:
        """Go on under a claim that fell back to an earlier checkpoint."""
        self.claim = claim
        self._step = claim.checkpoint.step if claim.checkpoint else 0

    def flush(self) -> None:
        """Renew the lease and write what is ready. A database that is away keeps it waiting.

        Raises:
            FencedError: if the run is no longer this claim's.
            AbandonedError: if the database was away for too long.
        """
        self._due = time.monotonic() + self._services.settings.flush_seconds
        self._try(self._flush)

    def flush_if_due(self) -> None:
        """Flush, unless the last one was only just now."""
        if time.monotonic() >= self._due:
            self.flush()

    @property
    def pause(self) -> float:
        """Seconds until the next flush is due."""
        return max(0.0, self._due - time.monotonic())

    def persist(self, write: Callable[[Session], T]) -> T:
        """Make a write that the segment cannot go on without; repeat it while the database is away.

        Raises:
            FencedError: if the run is no longer this claim's.
            AbandonedError: if the database was away for too long.
        """
        results: list[T] = []
        while not self._try(lambda: results.append(self._in_transaction(write))):
            time.sleep(self._services.settings.flush_seconds)
        return results[0]

    def _flush(self) -> None:
        batch = self.outgoing.ready()
        with self._services.sessions.begin() as session:
            flushed = flush(
                session,
                self.claim,
                points=batch.points,
                files=batch.files,
                checkpoint=batch.checkpoint,
                step=self._step,
                steps_per_second=self._speed,
                seconds=self.claim.seconds + time.monotonic() - self._started,
            )
        self.outgoing.written(batch)
        self.desired = flushed.desired
        self._unsummarized |= bool(batch.points)
        if self._unsummarized:
            record_summary(self._services.sessions, self.claim, self._speed)
            self._unsummarized = False

    def _in_transaction(self, write: Callable[[Session], T]) -> T:
        with self._services.sessions.begin() as session:
            return write(session)

    def _try(self, work: Callable[[], None]) -> bool:
        try:
            work()
        except DATABASE_AWAY as error:
            self._note_away(error)
            return False
        self._answered = time.monotonic()
        return True

    def _note_away(self, error: SQLAlchemyError) -> None:
        away = time.monotonic() - self._answered
        log.warning("database_away", run=self.claim.run_id, seconds=round(away, 1), error=str(error))
        if away > self._services.settings.database_patience_seconds:
            raise AbandonedError(f"the database was away for {away:.0f} s") from error
