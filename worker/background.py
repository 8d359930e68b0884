"""Work that may hang, in a thread that nobody has to wait for."""

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")


def in_background(work: Callable[[], T], *, name: str) -> Future[T]:
    """Run ``work`` in a daemon thread. An executor's threads would be joined at exit, and a hung store would hang the exit."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - nothing is swallowed: whoever asks for the result gets it raised
            future.set_exception(error)

    threading.Thread(target=run, name=name, daemon=True).start()
    return future


class Recurring(ABC, Generic[T]):
    """Work done every so many seconds in a thread of its own, once the time before is over: a slow one holds up nothing else."""

    def __init__(self, *, name: str, seconds: float) -> None:
        self._name = name
        self._seconds = seconds
        self._due = time.monotonic()
        self._running: Future[T] | None = None

    @property
    def busy(self) -> bool:
        """Whether it goes on."""
        return self._running is not None and not self._running.done()

    def start_if_due(self) -> None:
        """Report what has ended; start anew if it is time, nothing goes on and there is something to do."""
        if self.busy:
            return
        if self._running is not None:
            self._report(self._running)
            self._running = None
        if time.monotonic() >= self._due and self._wanted():
            self._due = time.monotonic() + self._seconds
            self._running = in_background(self._work, name=self._name)

    def _wanted(self) -> bool:
        return True

    @abstractmethod
    def _work(self) -> T: ...

    @abstractmethod
    def _report(self, ended: Future[T]) -> None:
        """Log what it came to; an error that is not foreseen here is raised."""
