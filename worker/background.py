"""Work that may hang, in a thread that nobody has to wait for."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

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
