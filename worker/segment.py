"""One segment of a run: from the claim to its end or back to the queue."""

import shutil
import time

import structlog
from sqlalchemy.orm import Session

from backend.storage.claims import Claim, FencedError, finish, release
from backend.storage.evaluations import EvaluationClaim, claim_evaluation, unevaluated
from backend.storage.offers import Offer
from backend.storage.remeasuring import ask_as_swept
from backend.storage.verdicts import verdict_of
from tauscope.contracts.runs import DesiredState, RunState
from tauscope.execution.events import Failed, SegmentEnded
from tauscope.specs import KINDS
from worker.evaluating import Evaluating
from worker.fetching import fetch_archive
from worker.following import BLAMELESS, End, Following
from worker.outgoing import Outgoing
from worker.recorder import Recorder
from worker.refining import refine
from worker.resuming import OtherCodeError, check_code, fetch_checkpoint
from worker.services import Services
from worker.slots import Slot

# What another attempt may mend: a child that was killed, a disk that was full.
TRANSIENT = {"trainer_died", "storage", *BLAMELESS}

log = structlog.get_logger()


class Segment:
    """Trains a claimed run in a slot's child, until the segment, the run or somebody's patience ends."""

    def __init__(self, claim: Claim, slot: Slot, services: Services, offer: Offer) -> None:
        self._slot = slot
        self._services = services
        self._offer = offer
        self._settings = services.settings
        self._folder = services.settings.work_folder / f"{claim.run_id}-{claim.epoch}"
        outgoing = Outgoing(services.store, self._folder, patience_seconds=self._settings.store_patience_seconds)
        self._recorder = Recorder(claim, services, outgoing)
        self._deferring = False
        self._began = time.monotonic()

    def run(self) -> bool:
        """Train, record, and end the run or give it back. True if it went back to the queue and wants a wake-up.

        Raises:
            FencedError: if the run went to somebody else meanwhile.
            AbandonedError: if the database was away for too long.
            StoreAwayError: if the checkpoint could not be fetched.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            self._recorder.flush()
            self._start()
            return self._conclude(self._follow())
        except OtherCodeError as error:
            return self._hand_on(str(error))
        finally:
            self._recorder.outgoing.close()
            shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self) -> None:
        checkpoint = fetch_checkpoint(self._recorder, self._services, self._folder)
        check_code(self._recorder, self._settings)
        claim = self._recorder.claim
        fetch_archive(claim.spec, self._services, beat=self._recorder.flush_if_due)
        spec = KINDS[claim.spec["kind"]].model_validate(claim.spec)
        seconds = self._settings.segment_seconds
        self._slot.warm().run_segment(spec, self._folder, checkpoint=checkpoint, max_seconds=seconds, may_defer=True)

    def _follow(self) -> End:
        """Take in events and flush until the segment is over and all of it is written."""
        following = Following(self._slot, self._settings, take=self._recorder.note, beat=self._beat, unwanted=self._unwanted)
        end = following.to_the_end()
        self._recorder.flush()
        while not self._recorder.done and not self._recorder.outgoing.trouble():
            time.sleep(min(0.02, self._settings.flush_seconds))
            if self._recorder.outgoing.ready().size or not self._recorder.pause:
                self._recorder.flush()
        return end

    def _beat(self) -> float:
        self._recorder.flush_if_due()
        if self._recorder.defers != self._deferring:
            self._deferring = self._recorder.defers
            self._slot.warm_child.defer_samples(self._deferring)
        return self._recorder.pause

    def _unwanted(self) -> bool:
        wanted = self._recorder.desired is DesiredState.RUN
        return not wanted or bool(self._services.leaving or self._recorder.outgoing.trouble())

    def _conclude(self, end: End) -> bool:
        if isinstance(end, Failed) and end.code not in TRANSIENT:
            return self._finish(RunState.FAILED, f"{end.message}. {end.remedy}", end.traceback)
        if isinstance(end, SegmentEnded) and end.finished and self._recorder.done and self._evaluate_rest():
            return self._finish(RunState.FINISHED)
        if self._recorder.desired is DesiredState.STOP:
            return self._finish(RunState.STOPPED, "stopped on request")
        return self._release(end)

    def _evaluate_rest(self) -> bool:
        """Draw what samples of the run nobody has drawn yet, and wait for those that somebody draws; whether all are there.

        An adaptive schedule asks for further ones as these come in.
        """
        claim = self._recorder.claim
        lease_seconds, segment_seconds = self._settings.lease_seconds, self._settings.segment_seconds
        persist = self._recorder.persistence.persist
        while persist(lambda session: bool(unevaluated(session, [claim.run_id])) or self._refines(session)):
            if self._unwanted() or time.monotonic() - self._began >= segment_seconds:
                return False
            found = persist(lambda session: claim_evaluation(session, claim.worker, lease_seconds, self._offer, run_id=claim.run_id))
            if found:
                self._evaluate(found)
            else:
                self._recorder.flush_if_due()
                time.sleep(self._recorder.pause)
        return True

    def _refines(self, session: Session) -> bool:
        words = refine(session, self._recorder.claim.run_id)
        if words:
            self._recorder.tell(words)
        return bool(words)

    def _evaluate(self, claim: EvaluationClaim) -> None:
        evaluating = Evaluating(claim, self._slot, self._services, also=self._recorder.flush_if_due, unwanted=self._unwanted)
        try:
            evaluating.run()
        except FencedError as error:
            log.warning("evaluation_lost", run=claim.run_id, step=claim.step, error=str(error))
            self._slot.discard()

    def _finish(self, state: RunState, reason: str = "", detail: str = "") -> bool:
        claim = self._recorder.claim

        def end(session: Session) -> tuple[RunState, str]:
            found = verdict_of(session, claim.run_id)
            # Also where it came too late to save a step: how a run ends must not depend on how soon its samples were drawn.
            ended = (RunState.STOPPED, found.reason) if found and state is not RunState.FAILED else (state, reason)
            finish(session, claim, *ended, detail=detail)
            if ended[0] is not RunState.FAILED:
                ask_as_swept(session, claim.run_id)
            return ended

        ended, why = self._recorder.persistence.persist(end)
        log.info("run_ended", run=claim.run_id, state=str(ended), reason=why)
        return False

    def _release(self, end: End) -> bool:
        excuse = self._excuse()
        trouble = "" if excuse else self._trouble(end)
        outcome = excuse or ("in trouble" if trouble else "the segment is over")
        detail = end.traceback if isinstance(end, Failed) else ""
        claim, excused = self._recorder.claim, bool(excuse) or (isinstance(end, Failed) and end.code in BLAMELESS)
        self._recorder.persistence.persist(
            lambda session: release(session, claim, outcome, trouble=trouble, excused=excused, detail=detail)
        )
        log.info("run_released", run=claim.run_id, outcome=outcome, trouble=trouble)
        return not trouble and self._recorder.desired is DesiredState.RUN

    def _hand_on(self, outcome: str) -> bool:
        """Give the run back to those who may compute it; nothing is wrong with it."""
        claim = self._recorder.claim
        self._recorder.persistence.persist(lambda session: release(session, claim, outcome, excused=True))
        log.info("run_handed_on", run=claim.run_id, outcome=outcome)
        return True

    def _excuse(self) -> str:
        """Why the segment ended early through no fault of the run, if it did."""
        paused = "paused by its owner" if self._recorder.desired is DesiredState.PAUSE else ""
        return self._services.leaving or paused

    def _trouble(self, end: End) -> str:
        stored = self._recorder.outgoing.trouble()
        return stored or (f"{end.message}. {end.remedy}" if isinstance(end, Failed) else "")
