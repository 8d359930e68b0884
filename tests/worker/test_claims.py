"""Claims, flushes and their fencing, on both databases."""

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session, sessionmaker

from backend.storage.claims import STALL_LIMIT, Claim, FencedError, accept_other_code, claim_next, fall_back, finish, release, settle
from backend.storage.flush import FileRecord, flush, read_points
from backend.storage.offers import Offer
from backend.storage.tables import Attempt, Run, RunEvent, RunFile
from tauscope.contracts.points import Point
from tauscope.contracts.runs import DesiredState, RunState

Sessions = sessionmaker[Session]
AddRun = Callable[..., str]


def claim(sessions: Sessions, worker: str = "one") -> Claim | None:
    with sessions.begin() as session:
        return claim_next(session, worker, 15)


def certain(claim: Claim | None) -> Claim:
    assert claim is not None
    return claim


def run(sessions: Sessions, run_id: str = "run-1") -> Run:
    with sessions() as session:
        return session.scalars(select(Run).where(Run.id == run_id)).one()


def want(sessions: Sessions, desired: DesiredState) -> None:
    with sessions.begin() as session:
        session.execute(update(Run).values(desired=desired))


def point(step: int, value: float | None = 1.0) -> Point:
    return Point(step=step, metric="f_mem", value=value, low=0.0, high=1.0, count=32, reason=None if value is not None else "diverged")


def checkpoint_files(step: int) -> list[FileRecord]:
    return [FileRecord(f"checkpoints/{step}.{kind}", f"{kind}-{step}", 10, kind, step) for kind in ("weights", "state")]


def reach(sessions: Sessions, claim: Claim, step: int, *, checkpoint: bool = True, samples: bool = False) -> None:
    files = checkpoint_files(step) if checkpoint else []
    files += [FileRecord(f"samples/{step}.npz", f"samples-{step}", 10, "samples", step)] if samples else []
    with sessions.begin() as session:
        flush(session, claim, points=[point(step)], files=files, checkpoint=step if checkpoint else None, step=step, seconds=1.0)


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


def under(sessions: Sessions, version: str, *, accepting: bool = False) -> Claim | None:
    """Claim as a worker that runs this code."""
    with sessions.begin() as session:
        return claim_next(session, "one", 15, Offer(code_version=version, accepts_other_code=accepting))


def test_a_claim_knows_which_code_wrote_its_checkpoint_and_a_fallback_which_wrote_the_one_before(
    sessions: Sessions, add_run: AddRun, expire_lease: Callable[[str], None]
) -> None:
    add_run()
    versions = []
    for version, step in (("a", 10), ("b", 20), ("c", 20)):
        held = certain(under(sessions, version, accepting=True))
        versions.append(held.resumed_version)
        if version != "c":
            reach(sessions, held, step)
            expire_lease("run-1")
    assert versions == [None, "a", "b"]
    with sessions.begin() as session:
        assert fall_back(session, held, 20, "is damaged").resumed_version == "a"
    assert run(sessions).checkpoint_version == "a"
    with sessions.begin() as session:
        assert fall_back(session, held, 10, "is damaged").resumed_version is None
    assert run(sessions).checkpoint_version is None


def test_a_run_waits_for_the_code_that_wrote_its_checkpoint_unless_the_worker_accepts_other_code(
    sessions: Sessions, add_run: AddRun, expire_lease: Callable[[str], None]
) -> None:
    add_run()
    first = certain(under(sessions, "a"))
    expire_lease("run-1")
    second = certain(under(sessions, "b"))
    assert second.epoch == first.epoch + 1, "without a checkpoint nothing would be mixed"
    reach(sessions, second, 10)
    expire_lease("run-1")
    assert under(sessions, "a") is None
    assert run(sessions).checkpoint_version == "b"
    assert certain(under(sessions, "b")).checkpoint is not None
    expire_lease("run-1")
    assert certain(under(sessions, "a", accepting=True)).resumed_version == "b"


def test_a_checkpoint_that_a_gpu_wrote_waits_for_one_and_a_run_for_the_cpu_may_go_on_anywhere(
    sessions: Sessions, add_run: AddRun, expire_lease: Callable[[str], None]
) -> None:
    def on(*devices: str) -> Claim | None:
        with sessions.begin() as session:
            return claim_next(session, "one", 15, Offer(devices=devices, code_version="a"))

    add_run()
    reach(sessions, certain(on("cpu", "cuda")), 10)
    expire_lease("run-1")
    assert on("cpu") is None
    assert run(sessions).checkpoint_version == "a@cuda"
    assert certain(on("cpu", "cuda")).resumed_version == "a@cuda"
    add_run("run-2", spec={"kind": "image_ddpm", "device": "cpu"})
    reach(sessions, certain(on("cpu", "cuda")), 10)
    expire_lease("run-2")
    assert certain(on("cpu")).resumed_version == "a"


def test_a_checkpoint_from_before_versions_were_kept_suits_everybody(sessions: Sessions, add_run: AddRun) -> None:
    add_run(checkpoint_step=10)
    assert under(sessions, "a") is not None


def test_accepted_code_is_noted_once_however_often_its_first_segment_dies(
    sessions: Sessions, add_run: AddRun, expire_lease: Callable[[str], None]
) -> None:
    add_run()
    reach(sessions, certain(under(sessions, "a")), 10)
    for _ in range(2):
        expire_lease("run-1")
        held = certain(under(sessions, "b", accepting=True))
        with sessions.begin() as session:
            accept_other_code(session, held)
    assert run(sessions).code_note == "steps up to 10 computed by a, later ones by b"


def offered(sessions: Sessions, **offer: object) -> str | None:
    with sessions.begin() as session:
        claim = claim_next(session, "one", 15, Offer(**offer))  # type: ignore[arg-type]
        return claim.run_id if claim else None


def test_a_worker_claims_runs_of_its_queues_alone(sessions: Sessions, add_run: AddRun) -> None:
    add_run("a", queue="gpu", priority=9)
    add_run("b", queue="night-shift")
    assert offered(sessions) is None
    assert offered(sessions, queues=("default", "night-shift")) == "b"
    assert offered(sessions, queues=("gpu",)) == "a"


@pytest.mark.parametrize(("wanted", "suitable"), [("cuda", ["cuda"]), ("cuda:1", ["cuda"]), ("mps", ["mps"]), ("cpu", ["cuda", "mps", ""])])
def test_a_run_that_names_a_device_is_left_to_workers_that_have_one(
    sessions: Sessions, add_run: AddRun, wanted: str, suitable: list[str]
) -> None:
    for kind in ("cuda", "mps", ""):
        run_id = add_run(f"for-{kind or 'cpu'}", spec={"kind": "image_ddpm", "device": wanted})
        devices = ("cpu", kind) if kind else ("cpu",)
        got = offered(sessions, devices=devices)
        assert (got == run_id) is (kind in suitable)
        with sessions.begin() as session:
            session.execute(delete(Run))


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
