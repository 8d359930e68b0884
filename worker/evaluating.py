"""Work on a single checkpoint: drawing and measuring the samples that training left undrawn, and what that shares with measuring again."""

import shutil
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

import structlog
from sqlalchemy.orm import Session

from backend.storage.artifacts import ArtifactCorruptError
from backend.storage.evaluations import EvaluationClaim, complete_evaluation, give_back_evaluation, renew_evaluation
from backend.storage.remeasuring import RemeasurementClaim
from tauscope.execution.events import EvaluationEnded, Failed
from tauscope.specs import KINDS, ExperimentSpec
from worker.fetching import LeavingError, StoreAwayError, fetch, fetch_archive
from worker.following import BLAMELESS, End, Following
from worker.outgoing import Batch, Outgoing
from worker.persistence import Persistence
from worker.services import Services
from worker.slots import Slot
from worker.summaries import record_summary

log = structlog.get_logger()

CheckpointClaim = TypeVar("CheckpointClaim", EvaluationClaim, RemeasurementClaim)


class CheckpointUnusableError(Exception):
    """The work cannot be done from what is left of the checkpoint; the message says why."""


class CheckpointWork(ABC, Generic[CheckpointClaim]):
    """Work on a claimed checkpoint in a slot's child; keeps its lease, and that of a run that waits for it."""

    def __init__(
        self,
        claim: CheckpointClaim,
        slot: Slot,
        services: Services,
        *,
        also: Callable[[], object] = lambda: None,
        unwanted: Callable[[], bool] | None = None,
    ) -> None:
        """``also`` is called about once a second; ``unwanted`` says when to break off, by default when the worker stops."""
        self._claim: CheckpointClaim = claim
        self._fetched = 0  # The step of the checkpoint that it begins from.
        self._slot = slot
        self._services = services
        self._persistence = Persistence(services, claim.run_id)
        self._also = also
        self._unwanted = unwanted or (lambda: bool(services.leaving))
        self._folder = services.settings.work_folder / f"{self.owner}-{claim.step}-{claim.epoch}"
        self._outgoing = Outgoing(services.store, self._folder, patience_seconds=services.settings.store_patience_seconds)
        self._due = 0.0

    def run(self) -> None:
        """Draw, measure and record, or give the checkpoint back.

        Raises:
            FencedError: if the checkpoint went to somebody else meanwhile, or was rewound.
            AbandonedError: if the database was away for too long.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            self._conclude(self._evaluate())
        except LeavingError:
            self._give_back()
        except StoreAwayError as error:
            self._give_back(f"its checkpoint cannot be fetched: {error}", excused=True)
        except CheckpointUnusableError as error:
            self._give_back(str(error))
        finally:
            self._outgoing.close()
            shutil.rmtree(self._folder, ignore_errors=True)

    def _evaluate(self) -> End:
        state = self._fetch()
        fetch_archive(self._claim.spec, self._services, beat=self._beat)
        self._command(KINDS[self._claim.spec["kind"]].model_validate(self._claim.spec), state)
        following = Following(self._slot, self._services.settings, take=self._outgoing.add, beat=self._beat, unwanted=self._unwanted)
        return following.to_the_end()

    @property
    @abstractmethod
    def owner(self) -> str:
        """The id of what the work is done for."""

    @abstractmethod
    def _command(self, spec: ExperimentSpec, state: Path | None) -> None:
        """Tell the child what to do."""

    @abstractmethod
    def _renew(self, session: Session) -> None:
        """Keep the lease."""

    @abstractmethod
    def _complete(self, session: Session, batch: Batch) -> None:
        """Record what was measured."""

    @abstractmethod
    def _release(self, session: Session, trouble: str, *, excused: bool) -> None:
        """Let another take it."""

    def _fetch(self) -> Path | None:
        """The newest whole checkpoint; from an earlier one the steps in between are trained again, to the same weights."""
        for checkpoint in self._claim.checkpoints:
            try:
                state = fetch(checkpoint, self._services, self._folder, beat=self._beat)
            except ArtifactCorruptError as error:
                log.warning("checkpoint_damaged", run=self._claim.run_id, step=checkpoint.step, error=str(error))
            else:
                self._fetched = checkpoint.step
                return state
        return None

    def _beat(self) -> float:
        """Renew the lease when that is due; a database that is away is borne for a while."""
        self._also()
        if time.monotonic() >= self._due:
            self._due = time.monotonic() + self._services.settings.flush_seconds
            self._persistence.attempt(self._renew)
        return max(0.0, self._due - time.monotonic())

    def _conclude(self, end: End) -> None:
        if isinstance(end, Failed):
            trouble = "" if self._unwanted() else f"{end.message}. {end.remedy}"
            self._give_back(trouble, excused=end.code in BLAMELESS)
        elif isinstance(end, EvaluationEnded) and end.complete:
            self._record(end)
        else:
            self._give_back()

    def _record(self, end: EvaluationEnded) -> None:
        while not self._outgoing.stored and not self._outgoing.trouble():
            time.sleep(min(0.02, self._beat()))
        if trouble := self._outgoing.trouble():
            self._give_back(trouble)
            return
        batch = self._outgoing.ready()
        self._persistence.persist(lambda session: self._complete(session, batch))
        log.info("evaluated", run=self._claim.run_id, step=self._claim.step, seconds=round(end.seconds, 1))

    def _give_back(self, trouble: str = "", *, excused: bool = False) -> None:
        self._persistence.persist(lambda session: self._release(session, trouble, excused=excused))
        log.info("evaluation_given_back", run=self._claim.run_id, step=self._claim.step, trouble=trouble)


class Evaluating(CheckpointWork[EvaluationClaim]):
    """Draws the samples that training left undrawn."""

    @property
    def owner(self) -> str:
        return self._claim.run_id

    def _command(self, spec: ExperimentSpec, state: Path | None) -> None:
        self._slot.warm().evaluate(spec, self._folder, state, step=self._claim.step)

    def _renew(self, session: Session) -> None:
        renew_evaluation(session, self._claim)

    def _complete(self, session: Session, batch: Batch) -> None:
        complete_evaluation(session, self._claim, batch.points, batch.files)
        record_summary(session, self._claim.run_id)

    def _release(self, session: Session, trouble: str, *, excused: bool) -> None:
        give_back_evaluation(session, self._claim, trouble, excused=excused)
