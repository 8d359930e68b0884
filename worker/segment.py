"""One segment of a run: from the claim to its end or back to the queue."""

import shutil
import time

import structlog

from backend.storage.claims import Claim, finish, release
from tauscope.contracts.runs import DesiredState, RunState
from tauscope.execution.events import Failed, SegmentEnded
from tauscope.execution.trainer_process import TrainerProcess
from tauscope.specs import KINDS
from worker.outgoing import Outgoing
from worker.recorder import Recorder
from worker.resuming import OtherCodeError, check_code, fetch_checkpoint
from worker.services import Services
from worker.slots import Slot

# What another attempt may mend: a child that was killed, a disk that was full.
TRANSIENT = {"trainer_died", "storage", "device_busy"}
# Of these, what is no fault of the run, however often it happens.
BLAMELESS = {"device_busy"}

log = structlog.get_logger()

End = SegmentEnded | Failed


class Segment:
    """Trains a claimed run in a slot's child, until the segment, the run or somebody's patience ends."""

    def __init__(self, claim: Claim, slot: Slot, services: Services) -> None:
        self._slot = slot
        self._services = services
        self._settings = services.settings
        self._folder = services.settings.work_folder / f"{claim.run_id}-{claim.epoch}"
        outgoing = Outgoing(services.store, self._folder, patience_seconds=self._settings.store_patience_seconds)
        self._recorder = Recorder(claim, services, outgoing)
        self._heard = time.monotonic()
        self._asked_to_end: float | None = None

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
            trainer = self._start()
            return self._conclude(self._follow(trainer))
        except OtherCodeError as error:
            return self._hand_on(str(error))
        finally:
            self._recorder.outgoing.close()
            shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self) -> TrainerProcess:
        checkpoint = fetch_checkpoint(self._recorder, self._services, self._folder)
        check_code(self._recorder, self._settings)
        claim = self._recorder.claim
        trainer = self._slot.warm()
        spec = KINDS[claim.spec["kind"]].model_validate(claim.spec)
        trainer.run_segment(spec, self._folder, checkpoint=checkpoint, max_seconds=self._settings.segment_seconds)
        self._heard = time.monotonic()
        return trainer

    def _follow(self, trainer: TrainerProcess) -> End:
        """Take in events and flush until the segment is over and all of it is written."""
        end: End | None = None
        while end is None:
            end = self._listen(trainer)
            self._recorder.flush_if_due()
            self._end_if_asked(trainer)
            end = end or self._lose_patience()
        self._recorder.flush()
        while not self._recorder.done and not self._recorder.outgoing.trouble():
            time.sleep(min(0.02, self._settings.flush_seconds))
            if self._recorder.outgoing.ready().size or not self._recorder.pause:
                self._recorder.flush()
        return end

    def _listen(self, trainer: TrainerProcess) -> End | None:
        event = trainer.next_event(self._recorder.pause)
        if event is None:
            return None
        self._heard = time.monotonic()
        self._slot.note(event)
        self._recorder.note(event)
        return event if isinstance(event, End) else None

    def _end_if_asked(self, trainer: TrainerProcess) -> None:
        unwanted = self._recorder.desired is not DesiredState.RUN
        if self._asked_to_end is None and (unwanted or self._services.leaving or self._recorder.outgoing.trouble()):
            self._asked_to_end = time.monotonic()
            trainer.end_segment()

    def _lose_patience(self) -> Failed | None:
        """Kill a child that does not end when asked, or that has been silent for too long."""
        now = time.monotonic()
        if self._asked_to_end is not None and now - self._asked_to_end > self._settings.end_seconds:
            return self._kill(f"the training process did not end within {self._settings.end_seconds:.0f} s of being asked to")
        if now - self._heard > self._settings.silence_seconds:
            return self._kill(f"the training process was silent for {self._settings.silence_seconds:.0f} s")
        return None

    def _kill(self, message: str) -> Failed:
        self._slot.discard()
        return Failed(code="trainer_died", message=message, remedy="It goes on from the last checkpoint", traceback="")

    def _conclude(self, end: End) -> bool:
        if isinstance(end, Failed) and end.code not in TRANSIENT:
            return self._finish(RunState.FAILED, f"{end.message}. {end.remedy}", end.traceback)
        if isinstance(end, SegmentEnded) and end.finished and self._recorder.done:
            return self._finish(RunState.FINISHED)
        if self._recorder.desired is DesiredState.STOP:
            return self._finish(RunState.STOPPED, "stopped on request")
        return self._release(end)

    def _finish(self, state: RunState, reason: str = "", detail: str = "") -> bool:
        self._recorder.persist(lambda session: finish(session, self._recorder.claim, state, reason, detail=detail))
        log.info("run_ended", run=self._recorder.claim.run_id, state=str(state), reason=reason)
        return False

    def _release(self, end: End) -> bool:
        excuse = self._excuse()
        trouble = "" if excuse else self._trouble(end)
        outcome = excuse or ("in trouble" if trouble else "the segment is over")
        detail = end.traceback if isinstance(end, Failed) else ""
        claim, excused = self._recorder.claim, bool(excuse) or (isinstance(end, Failed) and end.code in BLAMELESS)
        self._recorder.persist(lambda session: release(session, claim, outcome, trouble=trouble, excused=excused, detail=detail))
        log.info("run_released", run=claim.run_id, outcome=outcome, trouble=trouble)
        return not trouble and self._recorder.desired is DesiredState.RUN

    def _hand_on(self, outcome: str) -> bool:
        """Give the run back to those who may compute it; nothing is wrong with it."""
        claim = self._recorder.claim
        self._recorder.persist(lambda session: release(session, claim, outcome, excused=True))
        log.info("run_handed_on", run=claim.run_id, outcome=outcome)
        return True

    def _excuse(self) -> str:
        """Why the segment ended early through no fault of the run, if it did."""
        paused = "paused by its owner" if self._recorder.desired is DesiredState.PAUSE else ""
        return self._services.leaving or paused

    def _trouble(self, end: End) -> str:
        stored = self._recorder.outgoing.trouble()
        return stored or (f"{end.message}. {end.remedy}" if isinstance(end, Failed) else "")
