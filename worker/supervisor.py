"""What a worker does when it is woken: claim the most urgent run and train it for a segment."""

import threading
import traceback

import structlog

from backend.storage.artifacts import ArtifactStore
from backend.storage.claims import Claim, FencedError, claim_next, release
from backend.storage.database import open_database, session_factory
from backend.storage.evaluations import EvaluationClaim, claim_evaluation
from backend.storage.offers import Offer
from backend.storage.outbox import Outbox, send_wakeups
from backend.storage.remeasuring import RemeasurementClaim, claim_remeasurement
from worker.evaluating import Evaluating
from worker.fetching import LeavingError, StoreAwayError
from worker.offering import offer_of
from worker.persistence import AbandonedError
from worker.remeasuring import Remeasuring
from worker.segment import Segment
from worker.services import DATABASE_AWAY, Services
from worker.settings import WorkerSettings
from worker.slots import Slot, SlotPool

log = structlog.get_logger()


def open_services(settings: WorkerSettings) -> Services:
    """Open the storage that the settings name; nothing is contacted yet."""
    sessions = session_factory(open_database(settings.database_url))
    return Services(
        settings,
        sessions,
        ArtifactStore(settings.artifacts_url, grace_seconds=settings.garbage_grace_seconds),
        Outbox(settings.broker_url),
        threading.Event(),
    )


class Supervisor:
    """Serves wake-ups, in as many threads as there are slots."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.pool = SlotPool(services.settings)

    def serve(self, run_id: str) -> str | None:
        """Answer a wake-up by one segment of the most urgent run, not of ``run_id``, which is only its occasion.

        A second message for the same run therefore finds the next one, or nothing. Returns the run that was served.
        """
        if self.services.leaving:
            return None  # The run stays claimable; another worker, or the next one here, is woken by the reconciler.
        with self.pool.take() as slot:
            claim = self._claim()
            if claim is None:
                log.debug("nothing_to_claim", run=run_id)
                return None
            log.info("run_claimed", run=claim.run_id, epoch=claim.epoch, slot=slot.index)
            if self._train(claim, slot):
                send_wakeups(self.services.sessions, self.services.outbox, [claim.run_id])
            return claim.run_id

    @property
    def offer(self) -> Offer:
        """What this worker may be given to compute."""
        return offer_of(self.services.settings, self.pool)

    def evaluate(self, run_id: str) -> tuple[str, int] | None:
        """Answer a wake-up by work on the first checkpoint that waits for it; returns its run and step.

        Samples that belong to a run's own curve go before what is measured again.
        """
        if self.services.leaving:
            return None  # As for a run.
        with self.pool.take() as slot:
            claim = self._claim_checkpoint()
            if claim is None:
                log.debug("nothing_to_evaluate", run=run_id)
                return None
            try:
                self._work(claim, slot)
            except (FencedError, AbandonedError) as error:
                log.warning("evaluation_lost", run=claim.run_id, step=claim.step, error=str(error))
                slot.discard()
            except Exception:
                slot.discard()
                raise
            return claim.run_id, claim.step

    def _work(self, claim: EvaluationClaim | RemeasurementClaim, slot: Slot) -> None:
        if isinstance(claim, EvaluationClaim):
            Evaluating(claim, slot, self.services).run()
        else:
            Remeasuring(claim, slot, self.services).run()

    def _claim_checkpoint(self) -> EvaluationClaim | RemeasurementClaim | None:
        asked = (self.services.settings.worker_name, self.services.settings.lease_seconds, self.offer)
        try:
            with self.services.sessions.begin() as session:
                return claim_evaluation(session, *asked) or claim_remeasurement(session, *asked)
        except DATABASE_AWAY as error:
            log.warning("database_away", error=str(error))
            return None

    def _claim(self) -> Claim | None:
        settings = self.services.settings
        try:
            with self.services.sessions.begin() as session:
                return claim_next(session, settings.worker_name, settings.lease_seconds, self.offer)
        except DATABASE_AWAY as error:
            log.warning("database_away", error=str(error))
            return None

    def _train(self, claim: Claim, slot: Slot) -> bool:
        try:
            return Segment(claim, slot, self.services, self.offer).run()
        except (FencedError, AbandonedError) as error:
            log.warning("run_lost", run=claim.run_id, epoch=claim.epoch, error=str(error))
            slot.discard()
            return False
        except LeavingError as error:
            self._give_back(claim, excuse=str(error))
            return False
        except StoreAwayError as error:
            self._give_back(claim, f"The checkpoint cannot be fetched: {error}. Check the artifact store")
            return False
        except Exception as error:
            log.exception("segment_failed", run=claim.run_id)
            slot.discard()
            self._give_back(claim, f"The worker failed: {error}. See the run's events", traceback.format_exc())
            raise

    def _give_back(self, claim: Claim, trouble: str = "", detail: str = "", *, excuse: str = "") -> None:
        try:
            with self.services.sessions.begin() as session:
                release(session, claim, excuse or "in trouble", trouble=trouble, detail=detail, excused=bool(excuse))
        except (FencedError, *DATABASE_AWAY) as error:
            log.warning("run_not_released", run=claim.run_id, error=str(error))

    def stop(self) -> None:
        """Ask every segment to write its checkpoint and give its run back."""
        self.services.stopping.set()

    def close(self) -> None:
        """Let the children exit, once no segment runs."""
        self.pool.close()
