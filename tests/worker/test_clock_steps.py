"""The database clock is set back: nobody waits until it has caught up."""

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from backend.storage.claims import claim_next, release
from backend.storage.clock_steps import bring_back
from backend.storage.database import db_now
from backend.storage.outbox import stale_runs
from backend.storage.tables import Evaluation, Run, Worker
from tests.worker.conftest import AddRun

HOUR = 3600.0
LEASE = 20.0


def as_if_set_back(sessions: sessionmaker[Session]) -> None:
    """Shift what was written so far into the future, as a clock does that goes back an hour."""
    with sessions.begin() as session:
        shift = {"lease_until": Run.lease_until + HOUR, "updated_at": Run.updated_at + HOUR, "enqueued_at": Run.enqueued_at + HOUR}
        session.execute(update(Run).values(**shift))


def left_of_lease(sessions: sessionmaker[Session]) -> float:
    with sessions() as session:
        return float(session.scalars(select(Run.lease_until - db_now())).one())


def test_a_lease_keeps_its_length_and_its_holder(sessions: sessionmaker[Session], add_run: AddRun) -> None:
    add_run("run-1")
    with sessions.begin() as session:
        claim = claim_next(session, "one", LEASE)
        assert claim is not None
    as_if_set_back(sessions)
    assert left_of_lease(sessions) > HOUR
    with sessions.begin() as session:
        assert bring_back(session) == 1
    assert left_of_lease(sessions) == pytest.approx(LEASE, abs=5)
    with sessions.begin() as session:
        assert claim_next(session, "two", LEASE) is None
        release(session, claim, "the segment is over")


def test_a_run_that_waits_is_woken_though_its_last_wake_up_lies_in_the_future(sessions: sessionmaker[Session], add_run: AddRun) -> None:
    add_run("run-1")
    with sessions.begin() as session:
        session.execute(update(Run).values(enqueued_at=db_now()))
    as_if_set_back(sessions)
    with sessions.begin() as session:
        session.execute(update(Run).values(lease_until=0.0))
        assert stale_runs(session, stale_seconds=1) == {}
        assert bring_back(session) == 1
        assert stale_runs(session, stale_seconds=1) == {"default": ["run-1"]}


def test_an_evaluation_keeps_the_length_of_its_lease(sessions: sessionmaker[Session], add_run: AddRun) -> None:
    add_run("run-1")
    with sessions.begin() as session:
        columns = {"run_id": "run-1", "step": 10, "code_version": "v", "lease_until": db_now() + HOUR + LEASE}
        session.add(Evaluation(**columns, renewed_at=db_now() + HOUR, enqueued_at=db_now() + HOUR))
    with sessions.begin() as session:
        assert bring_back(session) == 1
        row = session.execute(select(Evaluation.lease_until - db_now(), Evaluation.enqueued_at)).one()
    assert row == (pytest.approx(LEASE, abs=5), 0.0)


def test_a_worker_that_is_gone_does_not_seem_alive_until_the_clock_has_caught_up(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        session.add(Worker(name="gone", device="cpu", slots=1, seen_at=db_now() + HOUR))
    with sessions.begin() as session:
        bring_back(session)
        assert session.scalars(select(Worker.seen_at - db_now())).one() <= 0.01


def test_times_of_the_present_are_left_alone(sessions: sessionmaker[Session], add_run: AddRun) -> None:
    add_run("run-1", enqueued_at=5.0)
    with sessions.begin() as session:
        assert bring_back(session) == 0
        claim_next(session, "one", LEASE)
        assert bring_back(session) == 0
    assert left_of_lease(sessions) == pytest.approx(LEASE, abs=5)


def test_a_run_whose_wake_up_alone_lies_in_the_future_keeps_its_lease(sessions: sessionmaker[Session], add_run: AddRun) -> None:
    add_run("run-1")
    with sessions.begin() as session:
        claim_next(session, "one", LEASE)
        session.execute(update(Run).values(enqueued_at=db_now() + HOUR))
        assert bring_back(session) == 1
    assert left_of_lease(sessions) == pytest.approx(LEASE, abs=5)
