"""Following a trainer child from its command to its last event, with patience that ends."""

import time
from collections.abc import Callable

from tauscope.execution.events import EvaluationEnded, Failed, SegmentEnded, TrainerEvent
from worker.settings import WorkerSettings
from worker.slots import Slot

End = SegmentEnded | EvaluationEnded | Failed

# Of these, what is no fault of the run, however often it happens.
BLAMELESS = {"device_busy", "preparation_broken_off"}


class Following:
    """One command of a slot's child, under way.

    Args:
        slot: whose child was given the command just now.
        take: receives every event.
        beat: does what is due about once a second, and returns the seconds until it is due again.
        unwanted: whether the child shall write what it has and end.
    """

    def __init__(
        self,
        slot: Slot,
        settings: WorkerSettings,
        *,
        take: Callable[[TrainerEvent], None],
        beat: Callable[[], float],
        unwanted: Callable[[], bool],
    ) -> None:
        self._slot, self._settings = slot, settings
        self._take, self._beat, self._unwanted = take, beat, unwanted
        self._heard = time.monotonic()
        self._asked_to_end: float | None = None

    def to_the_end(self) -> End:
        """Take in events until the last one; a child that does not answer is killed, which counts as its death."""
        end: End | None = None
        while end is None:
            end = self._listen(self._beat())
            self._end_if_unwanted()
            end = end or self._lose_patience()
        return end

    def _listen(self, seconds: float) -> End | None:
        event = self._slot.warm_child.next_event(seconds)
        if event is None:
            return None
        self._heard = time.monotonic()
        self._slot.note(event)
        self._take(event)
        return event if isinstance(event, End) else None

    def _end_if_unwanted(self) -> None:
        if self._asked_to_end is None and self._unwanted():
            self._asked_to_end = time.monotonic()
            self._slot.warm_child.end_segment()

    def _lose_patience(self) -> Failed | None:
        now = time.monotonic()
        if self._asked_to_end is not None and now - self._asked_to_end > self._settings.end_seconds:
            return self._kill(f"the training process did not end within {self._settings.end_seconds:.0f} s of being asked to")
        if now - self._heard > self._settings.silence_seconds:
            return self._kill(f"the training process was silent for {self._settings.silence_seconds:.0f} s")
        return None

    def _kill(self, message: str) -> Failed:
        self._slot.discard()
        return Failed(code="trainer_died", message=message, remedy="It goes on from the last checkpoint", traceback="")
