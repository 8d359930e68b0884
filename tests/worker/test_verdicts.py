"""What a policy's decision rests on, and what it writes, on both databases."""

from collections.abc import Callable

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from backend.storage.claims import settle
from backend.storage.flush import record_points
from backend.storage.requests import request_pause, request_stop
from backend.storage.tables import Evaluation, Notification, Run
from backend.storage.verdicts import request_stop_by_policy, settled_step, verdict_of
from tauscope.contracts.points import Point
from tauscope.contracts.runs import DesiredState, RunState
from tauscope.contracts.stopping import Verdict
from tauscope.specs import ImageDdpmSpec
from tests.worker.notified import add_hook
from worker.summaries import record_summary

Sessions = sessionmaker[Session]
AddRun = Callable[..., str]
STEPS = 200
REASON = "stopped by its policy at 40: f_mem 16 of 32 (32 to 68 %), control 0 of 32 (under 11 %)"


def spec() -> dict[str, object]:
    return ImageDdpmSpec.model_validate({"steps": STEPS, "stopping": {"name": "copying"}}).model_dump(mode="json")


def the_run(sessions: Sessions) -> Run:
    with sessions() as session:
        return session.scalars(select(Run)).one()


def copied(step: int) -> list[Point]:
    return [
        Point(step=step, metric="f_mem", value=0.5, low=0.319, high=0.681, count=32),
        Point(step=step, metric="f_mem_control", value=0.0, low=0.0, high=0.109, count=32),
    ]


def test_nothing_is_decided_beyond_the_checkpoint_or_the_first_awaited_samples(sessions: Sessions, add_run: AddRun) -> None:
    add_run(spec=spec(), steps=STEPS, checkpoint_step=50)
    with sessions.begin() as session:
        assert settled_step(session, "run-1") == 50
        session.add(Evaluation(run_id="run-1", step=30, code_version="test"))
    with sessions.begin() as session:
        assert settled_step(session, "run-1") == 29
        record_points(session, "run-1", copied(20) + copied(40), seq=1)
        assert record_summary(session, "run-1") is False
    with sessions.begin() as session:
        session.delete(session.get_one(Evaluation, ("run-1", 30)))
        session.flush()
        assert record_summary(session, "run-1") is True
    assert the_run(sessions).desired == DesiredState.STOP


def test_late_samples_stop_a_run_that_nobody_holds_with_the_policys_reason(sessions: Sessions, add_run: AddRun) -> None:
    add_run(spec=spec(), steps=STEPS, checkpoint_step=50)
    with sessions.begin() as session:
        request_pause(session, ["run-1"])
        record_points(session, "run-1", copied(20) + copied(40), seq=1)
        record_summary(session, "run-1")
        settle(session)
    run = the_run(sessions)
    assert run.state == RunState.STOPPED and run.reason.startswith(REASON)


@pytest.mark.parametrize("state", [RunState.STOPPED, RunState.FINISHED, RunState.FAILED])
def test_a_run_that_is_over_gets_no_verdict(sessions: Sessions, add_run: AddRun, state: RunState) -> None:
    add_run(spec=spec(), steps=STEPS, checkpoint_step=50, state=state, reason="as it was")
    with sessions.begin() as session:
        record_points(session, "run-1", copied(20) + copied(40), seq=1)
        assert record_summary(session, "run-1") is False
    assert (the_run(sessions).verdict, the_run(sessions).reason) == ({}, "as it was")


def test_the_first_reason_to_stop_stands(sessions: Sessions, add_run: AddRun) -> None:
    add_run(spec=spec(), steps=STEPS, state="running", lease_until=1e12)
    with sessions.begin() as session:
        request_stop(session, ["run-1"])
        assert request_stop_by_policy(session, "run-1", Verdict(policy="copying", step=40, reason="copies")) is False
        assert verdict_of(session, "run-1") is None


def test_a_confirmed_warning_is_announced_once(sessions: Sessions, add_run: AddRun) -> None:
    add_hook(sessions, events=["warning.raised"])
    add_run(spec=ImageDdpmSpec(steps=STEPS).model_dump(mode="json"), steps=STEPS, checkpoint_step=20)
    with sessions.begin() as session:
        record_points(session, "run-1", copied(20) + copied(40), seq=1)
        record_summary(session, "run-1")
        assert session.scalars(select(Notification)).all() == []
        session.get_one(Run, "run-1").checkpoint_step = 50
    for _ in range(2):
        with sessions.begin() as session:
            record_summary(session, "run-1")
    with sessions() as session:
        told = session.scalars(select(Notification)).one()
    assert (told.event, told.subject) == ("warning.raised", "copies")
