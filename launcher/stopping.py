"""Ctrl-C, SIGTERM and a closed terminal ask the stack to stop; a second time, at once."""

import signal
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopRequest:
    """Counts how often a stop was asked for."""

    def __init__(self) -> None:
        self.count = 0

    def __bool__(self) -> bool:
        return self.count > 0

    def listen(self) -> None:
        """Take over the signals. A plain counter is set: a lock could be held by the code that the signal interrupts."""
        for number in SIGNALS:
            signal.signal(number, self._count)

    def _count(self, number: int, frame: FrameType | None) -> None:
        self.count += 1
