"""Samples that training left undrawn are drawn once, by whoever is free, whatever happens meanwhile; on both databases."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from backend.storage.census import spare_slots
from backend.storage.claims import STALL_LIMIT, Claim, FencedError, claim_next, fall_back, finish, release
from backend.storage.database import db_now
from backend.storage.evaluations import (
    EvaluationClaim,
    claim_evaluation,
    complete_evaluation,
    give_back_evaluation,
    renew_evaluation,
    stale_evaluations,
    unevaluated,
)
from backend.storage.flush import FileRecord, flush, read_points
from backend.storage.offers import Offer
from backend.storage.tables import Evaluation, Run, RunEvent, RunFile, Worker
from tauscope.contracts.points import Point
from tauscope.contracts.runs import RunState

Sessions = sessionmaker[Session]
AddRun = Callable[..., str]


def train(sessions: Sessions, *steps: int) -> Claim:
    """A run that left the samples of these steps undrawn."""
    with sessions.begin() as session:
        claim = claim_next(session, "trainer", 15)
    assert claim is not None
    for step in steps:
        files = [FileRecord(f"checkpoints/{step}.{kind}", f"{kind}-{step}", 10, kind, step) for kind in ("weights", "state")]
        with sessions.begin() as session:
            flush(session, claim, points=[loss(step)], files=files, checkpoint=step, unevaluated=[step], step=step)
    return claim


def take(sessions: Sessions, worker: str = "one", offer: Offer | None = None, run_id: str | None = None) -> EvaluationClaim | None:
    with sessions.begin() as session:
        return claim_evaluation(session, worker, 15, offer or Offer(), run_id=run_id)


def taken(sessions: Sessions, worker: str = "one") -> EvaluationClaim:
    claim = take(sessions, worker)
    assert claim is not None
    return claim


def complete(sessions: Sessions, claim: EvaluationClaim) -> None:
    samples = FileRecord(f"samples/{claim.step}.npz", f"samples-{claim.step}", 10, "samples", claim.step)
    with sessions.begin() as session:
        complete_evaluation(session, claim, [Point(step=claim.step, metric="f_mem", value=0.5, low=0.4, high=0.6, count=32)], [samples])


def give_back(sessions: Sessions, claim: EvaluationClaim, trouble: str = "") -> None:
    with sessions.begin() as session:
        give_back_evaluation(session, claim, trouble)


def loss(step: int) -> Point:
    return Point(step=step, metric="loss_train@100", value=1.0, low=0.9, high=1.1, count=64)


def waiting(sessions: Sessions) -> list[int]:
    with sessions() as session:
        return list(session.scalars(select(Evaluation.step).order_by(Evaluation.step)))


def points(sessions: Sessions, metric: str) -> list[int]:
    with sessions() as session:
        return [point.step for point in read_points(session, "run-1") if point.metric == metric]


def lapse(sessions: Sessions) -> None:
    with sessions.begin() as session:
        session.execute(update(Evaluation).values(lease_until=0.0))


def test_each_checkpoint_is_given_to_one_worker_the_earliest_first(sessions: Sessions, add_run: AddRun) -> None:
    add_run()
    train(sessions, 10, 20)
    assert [taken(sessions, name).step for name in ("one", "two")] == [10, 20]
    assert take(sessions, "three") is None


def test_results_and_the_end_of_the_evaluation_are_one_transaction(sessions: Sessions, add_run: AddRun) -> None:
    add_run()
    train(sessions, 10)
    claim = taken(sessions)
    complete(sessions, claim)
    assert (waiting(sessions), points(sessions, "f_mem"), points(sessions, "loss_train@100")) == ([], [10], [10])
    with pytest.raises(FencedError):
        complete(sessions, claim)


def test_late_results_reach_a_run_that_is_over_and_readers_of_its_stream(sessions: Sessions, add_run: AddRun) -> None:
    add_run()
    claim = train(sessions, 10)
    with sessions.begin() as session:
        finish(session, claim, RunState.STOPPED, "stopped on request")
        before = session.scalars(select(Run.seq)).one()
    complete(sessions, taken(sessions))
    with sessions() as session:
        assert session.scalars(select(Run.seq)).one() > before
        assert session.scalars(select(Run.state)).one() == RunState.STOPPED
    assert points(sessions, "f_mem") == [10]


def test_a_killed_evaluation_is_repeated_and_its_ghost_is_fenced(sessions: Sessions, add_run: AddRun) -> None:
    add_run()
    train(sessions, 10)
    ghost = taken(sessions, "ghost")
    lapse(sessions)
    complete(sessions, taken(sessions, "heir"))
    for write in (complete, give_back):
        with pytest.raises(FencedError):
            write(sessions, ghost)
    assert points(sessions, "f_mem") == [10]


def test_a_rewind_takes_back_what_waits_and_fences_who_draws(sessions: Sessions, add_run: AddRun) -> None:
    """The step comes again under the same number, and the claim of the first time is no claim on the second."""
    add_run()
    train(sessions, 10, 20)
    old = replace(taken(sessions), step=20)
    with sessions.begin() as session:
        session.execute(update(Run).values(lease_until=0.0))
    with sessions.begin() as session:
        again = claim_next(session, "heir", 15)
        assert again is not None
        again = fall_back(session, again, 20, "is damaged")
    assert waiting(sessions) == [10]
    files = [FileRecord(f"checkpoints/20.{kind}", f"{kind}-20", 10, kind, 20) for kind in ("weights", "state")]
    with sessions.begin() as session:
        flush(session, again, files=files, checkpoint=20, unevaluated=[20], step=20)
    assert waiting(sessions) == [10, 20]
    with pytest.raises(FencedError), sessions.begin() as session:
        renew_evaluation(session, old)


def test_a_resume_keeps_the_checkpoints_that_wait(sessions: Sessions, add_run: AddRun) -> None:
    """Later checkpoints do not crowd them out, and the rewind to the last of them leaves them alone."""
    add_run()
    claim = train(sessions, 10, 20, 30, 40)
    with sessions.begin() as session:
        release(session, claim, "segment ended")
        assert claim_next(session, "heir", 15) is not None
        kept = set(session.scalars(select(RunFile.step).where(RunFile.kind == "weights")))
    assert waiting(sessions) == [10, 20, 30, 40] and kept == {10, 20, 30, 40}


def test_an_interrupted_attempt_does_not_count_and_a_failed_one_waits(sessions: Sessions, add_run: AddRun) -> None:
    add_run()
    train(sessions, 10)
    give_back(sessions, taken(sessions))
    again = taken(sessions)
    give_back(sessions, again, "the training process died")
    assert take(sessions) is None
    with sessions() as session:
        row = session.scalars(select(Evaluation)).one()
        assert (row.stalls, row.reason) == (1, "the training process died")


def test_an_evaluation_that_never_succeeds_leaves_a_gap_and_says_so(sessions: Sessions, add_run: AddRun) -> None:
    add_run()
    train(sessions, 10)
    for _ in range(STALL_LIMIT):
        give_back(sessions, taken(sessions), "the disk is full")
        lapse(sessions)
    assert take(sessions) is None
    assert waiting(sessions) == []
    with sessions() as session:
        detail = session.scalars(select(RunEvent.detail).where(RunEvent.name == "evaluation_failed")).one()
    assert "step 10" in detail and "the disk is full" in detail


def test_only_workers_of_the_queue_and_the_code_are_given_a_checkpoint(sessions: Sessions, add_run: AddRun) -> None:
    add_run()
    train(sessions, 10)
    assert take(sessions, offer=Offer(queues=("gpu",))) is None
    assert take(sessions, offer=Offer(code_version="other")) is None
    claim = take(sessions, offer=Offer(code_version="other", accepts_other_code=True))
    assert claim is not None
    complete(sessions, claim)
    with sessions() as session:
        assert "other" in session.scalars(select(RunEvent.detail).where(RunEvent.name == "code_version_changed")).one()


def test_a_checkpoint_without_a_wake_up_is_found_by_the_reconciler(sessions: Sessions, add_run: AddRun) -> None:
    add_run()
    train(sessions, 10, 20)
    with sessions() as session:
        assert stale_evaluations(session, stale_seconds=5) == {"default": ["run-1", "run-1"]}
        assert unevaluated(session, ["run-1", "run-2"]) == {"run-1": 2}
    taken(sessions)
    with sessions() as session:
        assert stale_evaluations(session, stale_seconds=5) == {"default": ["run-1"]}


def test_a_run_of_thousands_of_segments_can_still_leave_its_samples_undrawn(sessions: Sessions, add_run: AddRun) -> None:
    add_run(epoch=5_000_000)
    train(sessions, 10)
    complete(sessions, taken(sessions))
    assert points(sessions, "f_mem") == [10]


def test_an_attempt_that_the_checkpoint_is_not_to_blame_for_does_not_count(sessions: Sessions, add_run: AddRun) -> None:
    add_run()
    train(sessions, 10)
    claim = taken(sessions)
    with sessions.begin() as session:
        give_back_evaluation(session, claim, "the artifact store does not answer", excused=True)
    with sessions() as session:
        row = session.scalars(select(Evaluation)).one()
        assert row.stalls == 0 and row.lease_until > 0 and "artifact store" in row.reason


def test_the_earlier_checkpoints_are_handed_over_too_the_newest_first(sessions: Sessions, add_run: AddRun) -> None:
    add_run()
    train(sessions, 10, 20, 30)
    claims = {claim.step: [checkpoint.step for checkpoint in claim.checkpoints] for claim in (taken(sessions) for _ in range(3))}
    assert claims == {10: [10], 20: [20, 10], 30: [30, 20, 10]}


@pytest.mark.parametrize(
    ("free", "queued", "undrawn", "spare"),
    [(1, 0, 0, 1), (1, 1, 0, 0), (2, 0, 1, 1), (0, 0, 0, 0), (1, 1, 1, -1)],
    ids=["free", "about to train", "about to draw", "busy", "behind"],
)
def test_a_slot_is_spare_when_no_work_waits_for_it(
    sessions: Sessions, add_run: AddRun, free: int, queued: int, undrawn: int, spare: int
) -> None:
    add_run()
    claim = train(sessions, *range(10, 10 * undrawn + 1, 10))
    for index in range(queued):
        add_run(f"waiting-{index}", index=index + 1)
    workers = [
        Worker(name="here", device="cpu", slots=4, busy=4 - free, queues=["default"], code_version=claim.code_version, seen_at=db_now()),
        Worker(name="of other code", device="cpu", slots=9, busy=0, queues=["default"], code_version="other", seen_at=db_now()),
        Worker(name="silent", device="cpu", slots=9, busy=0, queues=["default"], seen_at=db_now() - 60),
        Worker(name="elsewhere", device="cpu", slots=9, busy=0, queues=["gpu"], seen_at=db_now()),
        Worker(name="leaving", device="cpu", slots=9, busy=0, queues=["default"], draining=True, seen_at=db_now()),
    ]
    with sessions.begin() as session:
        session.add_all(workers)
    with sessions() as session:
        assert spare_slots(session, claim) == spare
