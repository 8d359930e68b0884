"""What a worker's row says, and how the worker learns that it shall drain."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, event, select, update
from sqlalchemy.orm import Session, sessionmaker

from backend.storage.offers import offer_of
from backend.storage.tables import Worker
from tauscope.version import code_version
from tests.service import wait_for
from worker.heartbeat import Heartbeat
from worker.intake import Intake
from worker.services import Services
from worker.settings import WorkerSettings
from worker.slots import SlotPool
from worker.supervisor import open_services

Sessions = sessionmaker[Session]


class FakeConsumer:
    """Celery's consumer, as far as queues go."""

    def __init__(self) -> None:
        self.reads = {"train.gpu", "train.default"}
        self.task_consumer = self
        self.connection_errors: tuple[type[Exception], ...] = (ConnectionError,)
        self.channel_errors: tuple[type[Exception], ...] = ()

    def call_soon(self, call: Any) -> None:
        call()

    def add_task_queue(self, queue: str) -> None:
        self.reads.add(queue)

    def cancel_task_queue(self, queue: str) -> None:
        self.reads.remove(queue)


class BrokerAway(FakeConsumer):
    def cancel_task_queue(self, queue: str) -> None:
        raise ConnectionError


@pytest.fixture
def services(database_url: str, tmp_path: Path) -> Services:
    address = f"redis+socket://{tmp_path}/no-broker.sock"
    return open_services(WorkerSettings(home=tmp_path, database_url=database_url, broker_url=address, queues="gpu, default", slots=2))


def heartbeat(services: Services, consumer: FakeConsumer) -> Heartbeat:
    intake = Intake(("train.gpu", "train.default"))
    intake.connect(consumer)
    return Heartbeat(services, SlotPool(services.settings), intake)


def beat(heart: Heartbeat, sessions: Sessions) -> Worker:
    with sessions.begin() as session:
        heart.beat(session)
    with sessions() as session:
        return session.query(Worker).one()


def wish(sessions: Sessions, draining: bool) -> None:
    with sessions.begin() as session:
        session.execute(update(Worker).values(draining=draining))


def test_the_row_tells_what_the_worker_offers(services: Services, sessions: Sessions) -> None:
    row = beat(heartbeat(services, FakeConsumer()), sessions)
    offer = offer_of(row)
    assert (row.slots, row.busy, offer.queues, row.code_version_policy, row.draining) == (2, 0, ("gpu", "default"), "refuse", False)
    assert (offer.code_version, offer.accepts_other_code, "cpu" in offer.devices) == (code_version(), False, True)


def test_a_wish_to_drain_is_kept_by_every_heartbeat_and_obeyed_by_the_next(services: Services, sessions: Sessions) -> None:
    consumer = FakeConsumer()
    heart = heartbeat(services, consumer)
    beat(heart, sessions)
    wish(sessions, True)
    for _ in range(2):
        assert beat(heart, sessions).draining
        assert (services.leaving, consumer.reads) == ("the worker is draining", set())
    wish(sessions, False)
    assert not beat(heart, sessions).draining
    assert (services.leaving, consumer.reads) == ("", {"train.gpu", "train.default"})


def test_a_draining_worker_whose_row_was_cleared_away_goes_on_draining(services: Services, sessions: Sessions) -> None:
    heart = heartbeat(services, FakeConsumer())
    beat(heart, sessions)
    wish(sessions, True)
    beat(heart, sessions)
    with sessions.begin() as session:
        session.execute(delete(Worker))
    assert beat(heart, sessions).draining
    assert services.leaving


def test_a_row_that_is_cleared_away_while_it_is_written_does_not_end_the_heartbeat(services: Services, sessions: Sessions) -> None:
    heart = heartbeat(replace(services, settings=services.settings.model_copy(update={"heartbeat_seconds": 0.05})), FakeConsumer())
    beat(heart, sessions)
    cleared: list[Session] = []

    def clear(session: Session, _context: object, _instances: object) -> None:
        if not cleared:
            cleared.append(session)
            session.connection().execute(delete(Worker))

    event.listen(services.sessions, "before_flush", clear)
    with sessions.begin() as session:
        session.execute(update(Worker).values(seen_at=1.0))
    heart.start()
    try:
        wait_for(lambda: cleared and last_seen(sessions) > 1.0, "another beat", 20)
    finally:
        heart.stop()


def last_seen(sessions: Sessions) -> float:
    with sessions() as session:
        return session.scalar(select(Worker.seen_at)) or 0.0


def test_a_broker_that_is_away_does_not_keep_a_worker_from_draining(services: Services, sessions: Sessions) -> None:
    heart = heartbeat(services, BrokerAway())
    beat(heart, sessions)
    wish(sessions, True)
    beat(heart, sessions)
    assert services.leaving


@pytest.mark.parametrize(("queues", "names"), [("default", ("default",)), (" gpu,night-shift , gpu", ("gpu", "night-shift"))])
def test_the_queues_of_a_worker_are_a_list_with_commas(queues: str, names: tuple[str, ...]) -> None:
    assert WorkerSettings(queues=queues).queue_names == names


@pytest.mark.parametrize("queues", [",", "gpu,", "GPU", "gpu default"])
def test_a_queue_that_cannot_be_is_refused_with_the_remedy(queues: str) -> None:
    with pytest.raises(ValueError, match="is no name of a queue"):
        WorkerSettings(queues=queues)
