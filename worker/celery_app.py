"""The Celery application of a worker: a task for each kind of work, which carries a run id and nothing else."""

from collections.abc import Callable, Mapping
from typing import Any

from celery import Celery
from celery.bootsteps import StartStopStep
from celery.signals import worker_ready, worker_shutdown, worker_shutting_down
from celery.worker.consumer.tasks import Tasks
from celery.worker.request import Request
from kombu.entity import Queue

from backend.storage.outbox import TASKS, Work, broker_queue, celery_settings
from worker.settings import WorkerSettings

LOOK_SECONDS = 0.05


def consumed_queues(settings: WorkerSettings) -> tuple[str, ...]:
    """The broker's queues that a worker reads."""
    return tuple(broker_queue(queue, work) for queue in settings.queue_names for work in TASKS)


def make_app(settings: WorkerSettings, answers: Mapping[Work, Callable[[str], object]]) -> Celery:
    """Build the application; ``answers`` holds what is done at a wake-up for each kind of work."""
    app = Celery("tauscope-worker", broker=settings.broker_url, set_as_current=False)
    app.conf.update(celery_settings())
    app.steps["consumer"].add(_LookForFreeSlots)
    for name in consumed_queues(settings):
        app.amqp.queues.add(_taken_for_good(app.amqp.queues.new_missing(name)))
    for work, answer in answers.items():
        _add_task(app, TASKS[work], answer)
    return app


def _taken_for_good(queue: Queue) -> Queue:
    """A queue whose messages are gone once they were read: nobody waits for their acknowledgement (decision 0011)."""
    queue.no_ack = True
    return queue


class _WakeUp(Request):  # type: ignore[misc]
    """A message of such a queue: Celery would acknowledge it none the less, and a broker that is away leave the worker deaf or dead."""

    def acknowledge(self) -> None:
        pass

    def reject(self, requeue: bool = False) -> None:
        pass


class _LookForFreeSlots(StartStopStep):  # type: ignore[misc]
    """Wakes the event loop often, for it reads the next message when it wakes and finds a slot free.

    By itself it wakes once a second. An acknowledgement would wake it too, though not any more once it has lost the broker (kombu 5.7).
    """

    requires = (Tasks,)

    def start(self, consumer: Any) -> None:
        consumer.timer.call_repeatedly(LOOK_SECONDS, lambda: None)


def _add_task(app: Celery, name: str, answer: Callable[[str], object]) -> None:
    @app.task(name=name, Request=_WakeUp)  # type: ignore[untyped-decorator]
    def task(run_id: str) -> None:
        answer(run_id)


def run_worker(
    app: Celery, settings: WorkerSettings, *, on_ready: Callable[[Any], None], on_stop: Callable[[], None], on_end: Callable[[], None]
) -> None:
    """Consume until SIGTERM or SIGINT: then ``on_stop`` is called at once, and ``on_end`` when the last task is over.

    ``on_ready`` is given Celery's consumer.
    """
    # Celery keeps weak references to receivers unless told otherwise, and these are closures.
    worker_ready.connect(lambda sender, **_: on_ready(sender), weak=False)
    worker_shutting_down.connect(lambda **_: on_stop(), weak=False)
    worker_shutdown.connect(lambda **_: on_end(), weak=False)
    app.worker_main(
        [
            "--quiet",
            "worker",
            "--pool=threads",
            f"--concurrency={settings.slots}",
            f"--queues={','.join(consumed_queues(settings))}",
            f"--hostname={settings.worker_name}",
            "--without-gossip",
            "--without-mingle",
            "--without-heartbeat",
            "--loglevel=WARNING",
        ]
    )
