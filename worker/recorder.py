"""Writes a segment's results and keeps its lease, also while the database is away for a while."""

import time

from sqlalchemy.orm import Session

from backend.storage.census import spare_slots
from backend.storage.claims import Claim, add_event
from backend.storage.datasets import keep_remarks
from backend.storage.flush import flush
from backend.storage.outbox import send_wakeups
from backend.storage.refining import saved_steps
from tauscope.contracts.runs import DesiredState
from tauscope.execution.events import DatasetWritten, Preparing, Progress, TrainerEvent
from worker.outgoing import Outgoing
from worker.persistence import Persistence
from worker.services import Services
from worker.summaries import record_summary


class Recorder:
    """The one who writes under a claim."""

    def __init__(self, claim: Claim, services: Services, outgoing: Outgoing) -> None:
        self.claim = claim
        self.outgoing = outgoing
        self.desired = DesiredState.RUN
        self._services = services
        self.persistence = Persistence(services, claim.run_id)
        self._kept = saved_steps(claim.spec)
        self.defers = False  # Whether training shall leave the samples that are due to another slot.
        self._started = self._due = time.monotonic()
        self._step = claim.checkpoint.step if claim.checkpoint else 0
        self._speed: float | None = None
        self._summarized = False
        self._activity: str | None = None
        self._remarks: tuple[str, ...] = ()

    @property
    def done(self) -> bool:
        """Whether everything that the child sent is written."""
        return self.outgoing.empty

    def note(self, event: TrainerEvent) -> None:
        """Take in what the child reports."""
        self.outgoing.add(event)
        self._step = max(self._step, getattr(event, "step", 0))
        if isinstance(event, Progress):
            self._speed = event.steps_per_second
        if isinstance(event, DatasetWritten) and self.claim.checkpoint is None:
            self._remarks = event.remarks  # A run that goes on has told them.
        if isinstance(event, Preparing):
            self._activity = event.words
        elif self._activity:
            self._activity = ""

    def tell(self, activity: str) -> None:
        """Show what the run does now that it is trained."""
        self._activity = activity

    def rewind(self, claim: Claim) -> None:
        """Go on under a claim that fell back to an earlier checkpoint."""
        self.claim = claim
        self._summarized = False
        self._step = claim.checkpoint.step if claim.checkpoint else 0

    def flush(self) -> None:
        """Renew the lease and write what is ready. A database that is away keeps it waiting.

        Raises:
            FencedError: if the run is no longer this claim's.
            AbandonedError: if the database was away for too long.
        """
        self._due = time.monotonic() + self._services.settings.flush_seconds
        self.persistence.try_once(self._flush)

    def flush_if_due(self) -> None:
        """Flush, unless the last one was only just now."""
        if time.monotonic() >= self._due:
            self.flush()

    @property
    def pause(self) -> float:
        """Seconds until the next flush is due."""
        return max(0.0, self._due - time.monotonic())

    def _flush(self) -> None:
        batch = self.outgoing.ready()
        with self._services.sessions.begin() as session:
            flushed = flush(
                session,
                self.claim,
                points=batch.points,
                files=batch.files,
                checkpoint=batch.checkpoint,
                unevaluated=batch.unevaluated,
                kept=self._kept,
                step=self._step,
                steps_per_second=self._speed,
                seconds=self.claim.seconds + time.monotonic() - self._started,
                activity=self._activity,
            )
            if self._remarks:
                keep_remarks(session, self.claim.run_id, self._remarks)
            for remark in self._remarks:
                add_event(session, self.claim.run_id, flushed.seq, "images", remark)
            # The first time too: the claim has deleted what an attempt before it measured beyond its checkpoint.
            due = batch.points or batch.checkpoint is not None or not self._summarized
            stopped = due and record_summary(session, self.claim.run_id)
            self.defers = self._defers(session)
        self._summarized, self._remarks = True, ()
        self.desired = DesiredState.STOP if stopped else flushed.desired
        self.outgoing.written(batch)
        send_wakeups(self._services.sessions, self._services.outbox, [self.claim.run_id] * len(batch.unevaluated), "evaluate")

    def _defers(self, session: Session) -> bool:
        policy = self._services.settings.defer_samples
        return policy == "always" or (policy == "spare" and spare_slots(session, self.claim) > 0)
