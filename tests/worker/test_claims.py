"""Claims, flushes and their fencing, on both databases."""

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import select

from backend.storage.claims import STALL_LIMIT, Claim, FencedError, claim_next, fall_back, finish, release, settle
from backend.storage.flush import FileRecord, flush, read_points
from backend.storage.tables import Attempt, RunEvent, RunFile
from tauscope.contracts.runs import DesiredState, RunState
from tests.worker.claimed import AddRun, Sessions, certain, claim, point, reach, run, want


def test_a_run_is_claimed_once_however_many_ask(sessions: Sessions, add_run: AddRun) -> None:
    add_run()
    assert certain(claim(sessions)).epoch == 1
    assert claim(sessions, "two") is None


def test_two_claimers_at_once_never_get_the_same_run(sessions: Sessions, add_run: AddRun) -> None:
    for index in range(12):
        add_run(f"run-{index:02}")
    got: list[str] = []
    start = threading.Barrier(4)

    def take(worker: str) -> None:
        start.wait()
        while found := claim(sessions, worker):
            got.append(found.run_id)

    threads = [threading.Thread(target=take, args=(f"worker-{index}",)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == [f"run-{index:02}" for index in range(12)]


def test_the_longest_remaining_run_goes_first(sessions: Sessions, add_run: AddRun) -> None:
    add_run("a", cost=5.0)
    add_run("b", cost=50.0, checkpoint_step=95)
    add_run("c", cost=9.0)
    assert [certain(claim(sessions)).run_id for _ in range(3)] == ["c", "a", "b"]


def test_an_expired_lease_lets_another_worker_claim_and_fences_the_first(
    sessions: Sessions, add_run: AddRun, expire_lease: Callable[[str], None]
) -> None:
    add_run()
    first = certain(claim(sessions))
    expire_lease("run-1")
    second = certain(claim(sessions, "two"))
    assert second.epoch == 2
    for write in (lambda s: flush(s, first, step=9), lambda s: finish(s, first, RunState.FINISHED), lambda s: release(s, first, "over")):
        with pytest.raises(FencedError), sessions.begin() as session:
            write(session)
    assert run(sessions).worker == "two"


def test_an_expired_lease_that_nobody_took_is_renewed_by_the_next_flush(
    sessions: Sessions, add_run: AddRun, expire_lease: Callable[[str], None]
) -> None:
    add_run()
    first = certain(claim(sessions))
    expire_lease("run-1")
    reach(sessions, first, 10)
    assert claim(sessions, "two") is None


def test_a_claim_deletes_points_and_files_after_the_checkpoint(
    sessions: Sessions, add_run: AddRun, expire_lease: Callable[[str], None]
) -> None:
    add_run()
    first = certain(claim(sessions))
    reach(sessions, first, 10, samples=True)
    reach(sessions, first, 20, checkpoint=False, samples=True)
    expire_lease("run-1")
    second = certain(claim(sessions))
    assert second.checkpoint is not None and second.checkpoint.step == 10
    with sessions() as session:
        assert [item.step for item in read_points(session, "run-1")] == [10]
        assert set(session.scalars(select(RunFile.step))) == {10}
    assert run(sessions).step == 10


def test_a_claim_without_a_checkpoint_deletes_every_point(sessions: Sessions, add_run: AddRun, expire_lease: Callable[[str], None]) -> None:
    add_run()
    reach(sessions, certain(claim(sessions)), 20, checkpoint=False)
    expire_lease("run-1")
    assert certain(claim(sessions)).checkpoint is None
    with sessions() as session:
        assert read_points(session, "run-1") == []


def test_a_repeated_flush_changes_no_point(sessions: Sessions, add_run: AddRun) -> None:
    add_run()
    held = certain(claim(sessions))
    for _ in range(2):
        with sessions.begin() as session:
            flush(session, held, points=[point(5), point(7, None), point(7, None)], step=7, seconds=2.0)
    with sessions() as session:
        assert read_points(session, "run-1") == [point(5), point(7, None)]
    assert run(sessions).seconds == 2.0


def test_a_flush_tells_what_the_owner_wants_and_counts_up(sessions: Sessions, add_run: AddRun) -> None:
    add_run()
    held = certain(claim(sessions))
    with sessions.begin() as session:
        first = flush(session, held, step=1)
    want(sessions, DesiredState.STOP)
    with sessions.begin() as session:
        second = flush(session, held, step=2)
    assert (first.desired, second.desired) == (DesiredState.RUN, DesiredState.STOP)
    assert second.seq == first.seq + 1


def test_a_queued_run_that_shall_stop_is_stopped_and_never_claimed(sessions: Sessions, add_run: AddRun) -> None:
    add_run(desired="stop")
    assert claim(sessions) is None
    assert run(sessions).state == RunState.STOPPED


def test_a_released_run_that_shall_stop_is_stopped(sessions: Sessions, add_run: AddRun) -> None:
    add_run()
    held = certain(claim(sessions))
    want(sessions, DesiredState.STOP)
    with sessions.begin() as session:
        release(session, held, "segment over")
    assert run(sessions).state == RunState.STOPPED


def test_a_terminal_state_is_final(sessions: Sessions, add_run: AddRun) -> None:
    add_run()
    held = certain(claim(sessions))
    with sessions.begin() as session:
        finish(session, held, RunState.FAILED, "out of memory", detail="the traceback")
    with pytest.raises(FencedError), sessions.begin() as session:
        finish(session, held, RunState.FINISHED)
    want(sessions, DesiredState.STOP)
    assert claim(sessions) is None
    with sessions.begin() as session:
        assert settle(session) == []
    assert run(sessions).state == RunState.FAILED
    with sessions() as session:
        assert "the traceback" in list(session.scalars(select(RunEvent.detail)))[-1]


def test_attempts_without_progress_fail_the_run_with_its_last_trouble(
    sessions: Sessions, add_run: AddRun, expire_lease: Callable[[str], None]
) -> None:
    add_run()
    for _ in range(STALL_LIMIT):
        with sessions.begin() as session:
            release(session, certain(claim_next(session, "one", 15)), "died", trouble="killed for memory")
        expire_lease("run-1")
    assert claim(sessions) is None
    failed = run(sessions)
    assert failed.state == RunState.FAILED
    assert "without a new checkpoint" in failed.reason and "killed for memory" in failed.reason


def test_a_run_in_trouble_waits_a_little_before_the_next_attempt(sessions: Sessions, add_run: AddRun) -> None:
    add_run()
    with sessions.begin() as session:
        release(session, certain(claim_next(session, "one", 15)), "died", trouble="disk full")
    assert claim(sessions) is None
    assert run(sessions).reason == "disk full"


def test_progress_clears_the_count_of_stalls(sessions: Sessions, add_run: AddRun, expire_lease: Callable[[str], None]) -> None:
    add_run()
    for attempt in range(2 * STALL_LIMIT):
        held = certain(claim(sessions))
        if attempt % 2:
            reach(sessions, held, 1 + attempt)
        with sessions.begin() as session:
            release(session, held, "died", trouble="trouble")
        expire_lease("run-1")
    assert run(sessions).state == RunState.QUEUED


def test_an_excused_release_is_no_stall(sessions: Sessions, add_run: AddRun) -> None:
    add_run()
    for _ in range(2 * STALL_LIMIT):
        with sessions.begin() as session:
            release(session, certain(claim_next(session, "one", 15)), "worker leaves", excused=True)
    assert run(sessions).stalls == 0


def test_a_damaged_checkpoint_falls_back_to_the_one_before_and_then_to_the_start(
    sessions: Sessions, add_run: AddRun, expire_lease: Callable[[str], None]
) -> None:
    add_run()
    first = certain(claim(sessions))
    reach(sessions, first, 10)
    reach(sessions, first, 20)
    expire_lease("run-1")
    held = certain(claim(sessions))
    assert held.checkpoint is not None and held.checkpoint.step == 20
    with sessions.begin() as session:
        held = fall_back(session, held, 20, "is damaged")
    assert held.checkpoint is not None and held.checkpoint.step == 10
    with sessions() as session:
        assert [item.step for item in read_points(session, "run-1")] == [10]
    with sessions.begin() as session:
        held = fall_back(session, held, 10, "is damaged")
    assert held.checkpoint is None
    assert run(sessions).checkpoint_step is None


def test_a_fallback_is_fenced_too(sessions: Sessions, add_run: AddRun) -> None:
    add_run()
    held = certain(claim(sessions))
    with pytest.raises(FencedError), sessions.begin() as session:
        fall_back(session, replace(held, epoch=0), 20, "is damaged")


def test_two_newest_and_all_measured_checkpoints_are_kept(sessions: Sessions, add_run: AddRun) -> None:
    add_run()
    held = certain(claim(sessions))
    reach(sessions, held, 10, samples=True)
    for step in (20, 30, 40, 50):
        reach(sessions, held, step)
    with sessions() as session:
        assert sorted(session.scalars(select(RunFile.step).where(RunFile.kind == "state"))) == [10, 40, 50]


def test_every_attempt_is_recorded_with_its_end(sessions: Sessions, add_run: AddRun, expire_lease: Callable[[str], None]) -> None:
    add_run()
    reach(sessions, certain(claim(sessions)), 10)
    expire_lease("run-1")
    held = certain(claim(sessions, "two"))
    with sessions.begin() as session:
        finish(session, held, RunState.FINISHED)
    with sessions() as session:
        first, second = session.scalars(select(Attempt).order_by(Attempt.epoch)).all()
    assert (first.from_step, first.to_step, second.from_step) == (0, 10, 10)
    assert first.outcome.startswith("lost") and second.outcome == "finished"
    assert first.ended_at and second.ended_at


def test_two_runs_that_store_the_same_files_do_not_block_each_other(sessions: Sessions, add_run: AddRun) -> None:
    add_run("a")
    add_run("b")
    held = [certain(claim(sessions)), certain(claim(sessions))]
    same = [FileRecord(name, f"sha-{name}", 10, name) for name in ("train", "held_out")]

    def write(claim: Claim, files: list[FileRecord]) -> None:
        for _ in range(10):
            with sessions.begin() as session:
                flush(session, claim, files=files)

    threads = [threading.Thread(target=write, args=(held[0], same)), threading.Thread(target=write, args=(held[1], same[::-1]))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with sessions() as session:
        assert len(session.scalars(select(RunFile)).all()) == 4
