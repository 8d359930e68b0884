"""What an owner asks of runs, on both databases: pause, resume, stop."""

from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from backend.storage.claims import claim_next, release, settle
from backend.storage.flush import flush
from backend.storage.requests import request_pause, request_resume, request_stop
from backend.storage.tables import Run, RunEvent
from tauscope.contracts.runs import TERMINAL_STATES, TRANSITIONS, DesiredState, RunState
from tests.worker.test_claims import AddRun, Sessions, certain, claim, reach, run


def ask(sessions: Sessions, request: Callable[[Session, list[str]], object], *run_ids: str) -> object:
    with sessions.begin() as session:
        return request(session, list(run_ids or ["run-1"]))


def events(sessions: sessionmaker[Session]) -> list[str]:
    with sessions() as session:
        return list(session.scalars(select(RunEvent.name).order_by(RunEvent.id)))


def test_a_queued_run_pauses_at_once_and_is_not_claimed_until_it_is_resumed(sessions: Sessions, add_run: AddRun) -> None:
    add_run()
    ask(sessions, request_pause)
    paused = run(sessions)
    assert (paused.state, paused.reason) == (RunState.PAUSED, "paused by its owner")
    assert claim(sessions) is None
    assert ask(sessions, request_resume) == ["run-1"]
    resumed = run(sessions)
    assert (resumed.state, resumed.reason, resumed.enqueued_at) == (RunState.QUEUED, "", 0.0)
    assert claim(sessions) is not None
    assert events(sessions) == ["pause_requested", "paused", "resume_requested", "claimed"]


def test_a_run_that_waits_after_trouble_pauses_at_once_too(sessions: Sessions, add_run: AddRun) -> None:
    add_run()
    with sessions.begin() as session:
        release(session, certain(claim_next(session, "one", 15)), "died", trouble="disk full")
    ask(sessions, request_pause)
    assert run(sessions).state == RunState.PAUSED


def test_a_running_run_hears_of_the_pause_at_its_next_flush_and_pauses_with_its_release(sessions: Sessions, add_run: AddRun) -> None:
    add_run()
    held = certain(claim(sessions))
    ask(sessions, request_pause)
    assert run(sessions).state == RunState.RUNNING
    with sessions.begin() as session:
        assert flush(session, held, step=3).desired == DesiredState.PAUSE
    reach(sessions, held, 5)
    with sessions.begin() as session:
        release(session, held, "paused by its owner", excused=True)
    assert (run(sessions).state, run(sessions).step) == (RunState.PAUSED, 5)
    ask(sessions, request_resume)
    resumed = certain(claim(sessions, "two"))
    assert resumed.checkpoint is not None and resumed.checkpoint.step == 5


def test_a_run_whose_worker_is_lost_pauses_once_its_lease_is_over(
    sessions: Sessions, add_run: AddRun, expire_lease: Callable[[str], None]
) -> None:
    add_run()
    claim(sessions)
    ask(sessions, request_pause)
    expire_lease("run-1")
    with sessions.begin() as session:
        assert settle(session) == ["run-1"]
    assert run(sessions).state == RunState.PAUSED


def test_a_pause_that_is_taken_back_before_the_next_flush_changes_nothing(sessions: Sessions, add_run: AddRun) -> None:
    add_run()
    held = certain(claim(sessions))
    ask(sessions, request_pause)
    assert ask(sessions, request_resume) == [], "its worker holds it, so there is nobody to wake"
    with sessions.begin() as session:
        assert flush(session, held, step=3).desired == DesiredState.RUN
    assert run(sessions).state == RunState.RUNNING


def test_a_paused_run_can_be_stopped_and_then_not_resumed(sessions: Sessions, add_run: AddRun) -> None:
    add_run()
    ask(sessions, request_pause)
    ask(sessions, request_stop)
    assert run(sessions).state == RunState.STOPPED
    assert ask(sessions, request_resume) == []
    ask(sessions, request_pause)
    assert run(sessions).state == RunState.STOPPED


def test_a_paused_run_stays_as_it_is_however_often_it_is_settled(sessions: Sessions, add_run: AddRun) -> None:
    add_run()
    ask(sessions, request_pause)
    seq = run(sessions).seq
    for _ in range(2):
        ask(sessions, request_pause)
        with sessions.begin() as session:
            assert settle(session) == []
    assert run(sessions).seq == seq


def test_the_states_that_faults_lead_to_are_final_and_a_pause_is_not() -> None:
    assert all(not TRANSITIONS[state] for state in TERMINAL_STATES)
    assert RunState.QUEUED in TRANSITIONS[RunState.PAUSED]
    assert set(TRANSITIONS) == set(RunState)
    assert Run.__table__.c.state.type.length >= max(map(len, RunState))
