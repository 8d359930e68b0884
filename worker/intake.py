"""Whether this worker takes wake-ups: while it drains, they are left in the broker to others."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import structlog

log = structlog.get_logger()


class Intake:
    """The queues that the Celery consumer reads, from the moment it is known.

    Args:
        queues: the broker's names of the queues that are read while it is open.
    """

    def __init__(self, queues: Iterable[str]) -> None:
        self.queues = tuple(queues)
        self._consumer: Any = None

    def connect(self, consumer: Any) -> None:
        """Learn the consumer, which Celery makes."""
        self._consumer = consumer

    def open(self) -> None:
        """Read the queues again."""
        self._do(lambda consumer, queue: consumer.add_task_queue(queue))

    def close(self) -> None:
        """Read no queue; a consumer that connects anew reads none either."""
        self._do(lambda consumer, queue: consumer.cancel_task_queue(queue))

    def _do(self, change: Callable[[Any, str], object]) -> None:
        if self._consumer is not None:
            # In the consumer's own thread: its channel belongs to it.
            self._consumer.call_soon(partial(_change_all, self._consumer, self.queues, change))


def _change_all(consumer: Any, queues: Iterable[str], change: Callable[[Any, str], object]) -> None:
    """Change every queue; without a broker, wake-ups that come meanwhile are dropped by a draining worker and sent again."""
    if consumer.task_consumer is None:
        return
    try:
        for queue in queues:
            change(consumer, queue)
    except (*consumer.connection_errors, *consumer.channel_errors) as error:
        log.warning("broker_away", error=str(error))
