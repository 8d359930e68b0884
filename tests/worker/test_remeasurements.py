"""A checkpoint is measured again once, by whoever is free, apart from the run's own curve, whatever happens; on both databases."""

from collections.abc import Callable

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session, sessionmaker

from backend.storage.claims import STALL_LIMIT, Claim, FencedError, finish
from backend.storage.evaluations import (
    EvaluationClaim,
    claim_evaluation,
    draw_again,
    give_back_evaluation,
    stale_evaluations,
    waiting_evaluations,
)
from backend.storage.flush import flush, read_points
from backend.storage.offers import Offer
from backend.storage.remeasuring import (
    RemeasurementClaim,
    ask_again,
    claim_remeasurement,
    complete_remeasurement,
    delete_remeasurement,
    give_back_remeasurement,
    remeasured_points,
    remeasured_steps,
    renew_remeasurement,
)
from backend.storage.retention import awaited_steps, ended_runs
from backend.storage.tables import Evaluation, RemeasuredStep, Run, RunEvent, RunFile
from tauscope.contracts.points import Point
from tauscope.contracts.runs import RunState
from tests.worker.claimed import certain, checkpoint_files, claim, point, reach

Sessions = sessionmaker[Session]
AddRun = Callable[..., str]
MORE = {"n_generated": 4096}


@pytest.fixture
def trained(sessions: Sessions, add_run: AddRun) -> Claim:
    """A run that was measured at 10 and 20."""
    add_run()
    held = certain(claim(sessions))
    for step in (10, 20):
        reach(sessions, held, step, samples=True)
    return held


def ask(sessions: Sessions, *steps: int, changes: dict[str, object] | None = None) -> tuple[str, tuple[int, ...]]:
    with sessions.begin() as session:
        return ask_again(session, "run-1", "more samples", MORE if changes is None else changes, steps)


def take(sessions: Sessions, worker: str = "one", offer: Offer | None = None) -> RemeasurementClaim | None:
    with sessions.begin() as session:
        return claim_remeasurement(session, worker, 15, offer or Offer())


def taken(sessions: Sessions, worker: str = "one") -> RemeasurementClaim:
    found = take(sessions, worker)
    assert found is not None
    return found


def complete(sessions: Sessions, held: RemeasurementClaim, value: float = 0.25) -> None:
    with sessions.begin() as session:
        points = [Point(step=held.step, metric="f_mem", value=value, low=0.2, high=0.3, count=4096)]
        complete_remeasurement(session, held, points, from_step=held.step)


def give_back(sessions: Sessions, held: RemeasurementClaim, trouble: str = "", *, excused: bool = False) -> None:
    with sessions.begin() as session:
        give_back_remeasurement(session, held, trouble, excused=excused)


def lapse(sessions: Sessions) -> None:
    with sessions.begin() as session:
        session.execute(update(RemeasuredStep).values(lease_until=0.0))


def rows(sessions: Sessions) -> dict[int, RemeasuredStep]:
    with sessions() as session:
        sets = set(session.scalars(select(RemeasuredStep.remeasurement_id)))
        return {row.step: row for row in remeasured_steps(session, list(sets))}


def found_points(sessions: Sessions, set_id: str) -> list[tuple[int, float | None]]:
    with sessions() as session:
        return [(item.step, item.value) for item in remeasured_points(session, [set_id])[set_id]]


def own_points(sessions: Sessions) -> list[tuple[int, float | None]]:
    with sessions() as session:
        return [(item.step, item.value) for item in read_points(session, "run-1")]


def test_asking_twice_makes_one_set_and_each_step_is_given_to_one_worker(sessions: Sessions, trained: Claim) -> None:
    first, asked = ask(sessions, 10, 20)
    again, nothing = ask(sessions, 20, 10)
    other, _ = ask(sessions, 10, changes={})
    assert (asked, nothing) == ((10, 20), ())
    assert first == again != other
    assert [(item.remeasurement_id, item.step) for item in (taken(sessions, name) for name in "abc")] == [
        (first, 10),
        (first, 20),
        (other, 10),
    ]
    assert take(sessions, "d") is None


def test_points_come_with_the_end_of_the_work_and_stay_out_of_the_runs_own_curve(sessions: Sessions, trained: Claim) -> None:
    set_id, _ = ask(sessions, 10)
    before = own_points(sessions)
    complete(sessions, taken(sessions))
    assert found_points(sessions, set_id) == [(10, 0.25)] and own_points(sessions) == before
    done = rows(sessions)[10]
    assert (done.from_step, done.code_version) == (10, Offer().version({})) and done.finished_at is not None
    assert ask(sessions, 10) == (set_id, ()), "what is there is not measured again"


def test_a_worker_killed_between_claim_and_completion_is_replaced_and_its_ghost_is_fenced(sessions: Sessions, trained: Claim) -> None:
    set_id, _ = ask(sessions, 10)
    ghost = taken(sessions, "ghost")
    assert take(sessions, "early") is None
    lapse(sessions)
    second = taken(sessions, "second")
    assert (second.step, second.epoch) == (10, ghost.epoch + 1)
    for attempt in (lambda: complete(sessions, ghost, 0.9), lambda: give_back(sessions, ghost)):
        with pytest.raises(FencedError):
            attempt()
    complete(sessions, second)
    assert found_points(sessions, set_id) == [(10, 0.25)]


def test_a_completion_whose_answer_was_lost_does_not_count_twice(sessions: Sessions, trained: Claim) -> None:
    set_id, _ = ask(sessions, 10)
    held = taken(sessions)
    complete(sessions, held)
    with pytest.raises(FencedError):
        complete(sessions, held, 0.9)
    with pytest.raises(FencedError), sessions.begin() as session:
        renew_remeasurement(session, held)
    assert found_points(sessions, set_id) == [(10, 0.25)]


def test_a_step_that_fails_five_times_is_given_up_and_may_be_asked_for_again(sessions: Sessions, trained: Claim) -> None:
    set_id, _ = ask(sessions, 10)
    for _ in range(STALL_LIMIT):
        give_back(sessions, taken(sessions), "no space left")
        lapse(sessions)
    assert take(sessions) is None
    assert rows(sessions)[10].reason == "no space left"
    with sessions() as session:
        assert awaited_steps(session, "run-1") == set(), "retention waits for nothing any more"
    epoch = rows(sessions)[10].epoch
    assert ask(sessions, 10) == (set_id, (10,))
    revived = taken(sessions)
    assert revived.epoch > epoch
    complete(sessions, revived)
    assert found_points(sessions, set_id) == [(10, 0.25)]


def test_an_excused_attempt_does_not_count(sessions: Sessions, trained: Claim) -> None:
    ask(sessions, 10)
    for _ in range(STALL_LIMIT + 2):
        give_back(sessions, taken(sessions), "the store is away", excused=True)
        lapse(sessions)
    assert rows(sessions)[10].stalls == 0


def test_a_checkpoint_that_is_to_be_measured_again_is_kept_while_the_run_goes_on_and_after(sessions: Sessions, trained: Claim) -> None:
    for step in (30, 40, 50):
        reach(sessions, trained, step)
        ask(sessions, step)
    reach(sessions, trained, 60)
    with sessions.begin() as session:
        kept = set(session.scalars(select(RunFile.step).where(RunFile.kind == "weights")))
        finish(session, trained, RunState.FINISHED)
    assert kept >= {30, 40, 50}
    with sessions() as session:
        assert awaited_steps(session, "run-1") == {30, 40, 50} and ended_runs(session) == set()
    for _ in range(3):
        complete(sessions, taken(sessions))
    with sessions() as session:
        assert awaited_steps(session, "run-1") == set() and len(ended_runs(session)) == 1


def test_any_code_measures_a_checkpoint_that_is_there_but_only_its_own_trains_it_again(sessions: Sessions, trained: Claim) -> None:
    other = Offer(code_version="newer")
    ask(sessions, 10, 20)
    with sessions.begin() as session:
        session.execute(delete(RunFile).where(RunFile.step == 20, RunFile.kind.in_(["weights", "state"])))
    held = take(sessions, offer=other)
    assert held is not None and (held.step, held.from_scratch) == (10, False)
    assert [item.step for item in held.checkpoints] == [10]
    assert take(sessions, offer=other) is None, "the steps to 20 would be another run's"
    same = taken(sessions)
    assert (same.step, same.from_scratch, [item.step for item in same.checkpoints]) == (20, True, [10])
    assert rows(sessions)[20].written_by == Offer().code_version


def test_a_deleted_set_fences_who_works_at_it_and_leaves_nothing(sessions: Sessions, trained: Claim) -> None:
    set_id, _ = ask(sessions, 10, 20)
    complete(sessions, taken(sessions))
    held = taken(sessions)
    with sessions.begin() as session:
        assert delete_remeasurement(session, "run-1", set_id)
        assert not delete_remeasurement(session, "run-1", set_id)
    with pytest.raises(FencedError):
        complete(sessions, held)
    assert rows(sessions) == {} and found_points(sessions, set_id) == []


def test_lost_wakeups_are_sent_again_until_the_step_is_claimed(sessions: Sessions, trained: Claim) -> None:
    ask(sessions, 10, 20)
    with sessions() as session:
        assert stale_evaluations(session, stale_seconds=5) == {"default": ["run-1", "run-1"]}
        assert waiting_evaluations(session, "default") == 2
    complete(sessions, taken(sessions))
    taken(sessions)
    with sessions() as session:
        assert stale_evaluations(session, stale_seconds=5) == {} and waiting_evaluations(session, "default") == 0


def test_a_gap_is_drawn_after_all_and_who_gave_it_up_is_fenced(sessions: Sessions, trained: Claim) -> None:
    with sessions.begin() as session:
        flush(session, trained, points=[point(30)], files=checkpoint_files(30), checkpoint=30, unevaluated=[30], step=30)
    ghosts: list[EvaluationClaim | None] = []
    for _ in range(STALL_LIMIT):
        with sessions.begin() as session:
            ghosts.append(claim_evaluation(session, "one", 15, Offer()))
        with sessions.begin() as session:
            give_back_evaluation(session, _certainly(ghosts[-1]), "no space left")
            session.execute(update(Evaluation).values(lease_until=0.0))
    with sessions.begin() as session:
        assert claim_evaluation(session, "one", 15, Offer()) is None, "given up"
        draw_again(session, "run-1", [30])
        draw_again(session, "run-1", [30])
    with sessions.begin() as session:
        found = _certainly(claim_evaluation(session, "one", 15, Offer()))
        assert claim_evaluation(session, "two", 15, Offer()) is None
        events = list(session.scalars(select(RunEvent.name).where(RunEvent.run_id == "run-1").order_by(RunEvent.id)))
    assert found.step == 30 and found.written_by == Offer().code_version
    assert found.epoch > max(_certainly(ghost).epoch for ghost in ghosts)
    assert events[-3:] == ["evaluation_failed", "drawing_asked", "drawing_asked"]
    with sessions() as session:
        assert session.scalars(select(Run.state)).one() == RunState.RUNNING


def _certainly(found: EvaluationClaim | None) -> EvaluationClaim:
    assert found is not None
    return found
