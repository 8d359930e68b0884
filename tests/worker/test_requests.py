"""What an owner asks of runs, on both databases: pause, resume, stop, priority."""

from collections.abc import Callable

from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from backend.storage.claims import claim_next, finish, release, settle
from backend.storage.flush import flush, read_points
from backend.storage.requests import extend, request_pause, request_resume, request_stop, set_priority
from backend.storage.tables import Run, RunEvent
from tauscope.contracts.runs import TERMINAL_STATES, TRANSITIONS, DesiredState, RunState
from tests.worker.claimed import AddRun, Sessions, certain, claim, reach, run


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


def order(sessions: Sessions, count: int) -> list[str]:
    return [certain(claim(sessions)).run_id for _ in range(count)]


def join(sessions: Sessions, *run_ids: str) -> None:
    """Put the runs into the first one's experiment."""
    with sessions.begin() as session:
        for index, run_id in enumerate(run_ids):
            session.execute(update(Run).where(Run.id == run_id).values(experiment_id=f"of-{run_ids[0]}", index=index))


def test_the_highest_priority_goes_first_whatever_else_runs(sessions: Sessions, add_run: AddRun) -> None:
    for run_id, cost in (("a1", 50.0), ("a2", 1.0), ("b1", 9.0)):
        add_run(run_id, cost=cost)
    join(sessions, "a1", "a2")
    with sessions.begin() as session:
        set_priority(session, ["a1", "a2"], 5)
    assert order(sessions, 3) == ["a1", "a2", "b1"]
    assert events(sessions)[:2] == ["priority_set", "priority_set"]


def test_a_small_experiment_does_not_wait_for_a_large_one_to_end(sessions: Sessions, add_run: AddRun) -> None:
    for run_id, cost in (("a1", 50.0), ("a2", 40.0), ("a3", 30.0), ("b1", 2.0), ("b2", 1.0)):
        add_run(run_id, cost=cost)
    join(sessions, "a1", "a2", "a3")
    join(sessions, "b1", "b2")
    assert order(sessions, 5) == ["a1", "b1", "a2", "b2", "a3"]


def test_a_run_whose_worker_is_lost_does_not_count_as_running(
    sessions: Sessions, add_run: AddRun, expire_lease: Callable[[str], None]
) -> None:
    for run_id, cost in (("a1", 9.0), ("a2", 8.0), ("b1", 1.0)):
        add_run(run_id, cost=cost)
    join(sessions, "a1", "a2")
    assert order(sessions, 1) == ["a1"]
    expire_lease("a1")
    assert order(sessions, 3) == ["a1", "b1", "a2"]


def test_the_priority_of_a_run_that_is_over_stays(sessions: Sessions, add_run: AddRun) -> None:
    add_run()
    ask(sessions, request_stop)
    with sessions.begin() as session:
        set_priority(session, ["run-1"], 5)
    assert run(sessions).priority == 0


def extended(sessions: Sessions, steps: int) -> bool:
    with sessions.begin() as session:
        return extend(session, "run-1", {"kind": "image_ddpm", "steps": steps}, cost=20.0)


def test_a_finished_run_goes_on_from_its_last_checkpoint_to_more_steps(sessions: Sessions, add_run: AddRun) -> None:
    add_run()
    held = certain(claim(sessions))
    reach(sessions, held, 100)
    with sessions.begin() as session:
        finish(session, held, RunState.FINISHED)
    assert not extended(sessions, 100), "it has those steps already"
    assert extended(sessions, 200)
    longer = run(sessions)
    assert (longer.state, longer.steps, longer.spec["steps"], longer.cost, longer.step) == (RunState.QUEUED, 200, 200, 20.0, 100)
    again = certain(claim(sessions))
    assert again.checkpoint is not None and (again.checkpoint.step, again.steps) == (100, 200)
    with sessions() as session:
        assert [item.step for item in read_points(session, "run-1")] == [100]
    assert "extended" in events(sessions)


def test_a_stopped_or_failed_run_goes_on_and_an_active_one_is_not_extended(sessions: Sessions, add_run: AddRun) -> None:
    add_run()
    assert not extended(sessions, 200), "it is queued"
    ask(sessions, request_stop)
    assert extended(sessions, 100)
    held = certain(claim(sessions))
    assert not extended(sessions, 200), "it runs"
    with sessions.begin() as session:
        finish(session, held, RunState.FAILED, "five attempts in a row ended without a new checkpoint")
    assert not extended(sessions, 50), "it had more steps before"
    assert extended(sessions, 100)
    with sessions() as session:
        assert session.scalars(select(Run.stalls)).one() == 0, "its attempts are counted anew"
