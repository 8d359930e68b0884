"""Further checkpoints of a trained run are asked for one by one, whoever asks and how often; on both databases."""

from collections.abc import Callable

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from backend.storage.claims import STALL_LIMIT, Claim, finish
from backend.storage.evaluations import claim_evaluation, complete_evaluation
from backend.storage.flush import FileRecord, flush, read_points
from backend.storage.offers import Offer
from backend.storage.pruning import why_kept
from backend.storage.refining import saved_steps, to_be_refined
from backend.storage.retention import checkpoint_files, ended_runs, lock_runs
from backend.storage.tables import Evaluation, Run, RunEvent, RunFile
from tauscope.contracts.points import Point
from tauscope.contracts.runs import RunState
from tauscope.specs import ImageDdpmSpec
from tauscope.specs.schedule import Adaptive
from tests.worker.claimed import certain, claim
from tests.worker.claimed import checkpoint_files as files_of
from worker.refining import refine, refine_ended

Sessions = sessionmaker[Session]
STEPS, COPIES_FROM = 100, 33
SCHEDULE = Adaptive(first=5, count=4, checkpoints=40, target=1.15, budget=6)
COARSE = SCHEDULE.steps(STEPS)
REFINED = [23, 29, 32, 34]  # In the order in which they are asked for.


def samples(step: int) -> list[Point]:
    value, low, high = (0.75, 0.72, 0.78) if step >= COPIES_FROM else (0.0, 0.0, 0.004)
    control = Point(step=step, metric="f_mem_control", value=0.0, low=0.0, high=0.004, count=1000)
    return [Point(step=step, metric="f_mem", value=value, low=low, high=high, count=1000), control]


def samples_file(step: int) -> FileRecord:
    return FileRecord(f"samples/{step}.npz", f"samples-{step}", 10, "samples", step)


def reach(sessions: Sessions, claim: Claim, step: int) -> None:
    """Save a step, and sample it if it is coarse."""
    coarse = step in COARSE
    files = [*files_of(step), *([samples_file(step)] if coarse else [])]
    with sessions.begin() as session:
        flush(session, claim, points=samples(step) if coarse else [], files=files, checkpoint=step, kept=saved_steps(claim.spec), step=step)


@pytest.fixture
def trained(sessions: Sessions, add_run: Callable[..., str]) -> Claim:
    """A run with all its steps, its coarse checkpoints sampled."""
    spec = ImageDdpmSpec.model_validate({"steps": STEPS, "measurement": {"schedule": SCHEDULE.model_dump()}})
    add_run(spec=spec.model_dump(mode="json"), steps=STEPS)
    held = certain(claim(sessions))
    for step in SCHEDULE.saved(STEPS):
        reach(sessions, held, step)
    return held


def ask(sessions: Sessions) -> str:
    with sessions.begin() as session:
        return refine(session, "run-1")


def waiting(sessions: Sessions) -> list[int]:
    with sessions() as session:
        return list(session.scalars(select(Evaluation.step)))


def draw(sessions: Sessions) -> int:
    with sessions.begin() as session:
        claimed = claim_evaluation(session, "one", 15, Offer())
        assert claimed is not None
        complete_evaluation(session, claimed, samples(claimed.step), [samples_file(claimed.step)])
        return claimed.step


def draw_all(sessions: Sessions) -> list[int]:
    steps = []
    while ask(sessions):
        steps.append(draw(sessions))
    return steps


def kept(sessions: Sessions) -> set[int | None]:
    with sessions() as session:
        return set(session.scalars(select(RunFile.step).where(RunFile.kind == "weights")))


def end(sessions: Sessions, claim: Claim, state: RunState, **columns: object) -> None:
    with sessions.begin() as session:
        finish(session, claim, state)
        if columns:
            session.execute(update(Run).values(**columns))


def test_all_saved_checkpoints_stay_until_the_run_is_refined_and_then_those_that_were_sampled(sessions: Sessions, trained: Claim) -> None:
    assert kept(sessions) == set(SCHEDULE.saved(STEPS))
    assert draw_all(sessions) == REFINED
    assert kept(sessions) == {*COARSE, *REFINED, *SCHEDULE.saved(STEPS)[-2:]}


def test_while_a_checkpoint_waits_to_be_sampled_nobody_asks_for_another(sessions: Sessions, trained: Claim) -> None:
    first = ask(sessions)
    assert first and [ask(sessions) for _ in range(3)] == ["", "", ""]
    assert len(waiting(sessions)) == 1
    draw(sessions)
    assert ask(sessions) != first and len(waiting(sessions)) == 1


def test_a_run_whose_worker_was_lost_while_it_was_refined_comes_to_the_same_steps(
    sessions: Sessions, trained: Claim, expire_lease: Callable[[str], None]
) -> None:
    """The next claim begins at the last checkpoint: what was measured before it stays, and what waits is drawn."""
    done = []
    for _ in range(2):
        ask(sessions)
        done.append(draw(sessions))
    ask(sessions)
    expire_lease("run-1")
    assert certain(claim(sessions, "heir")).epoch > trained.epoch
    done += [draw(sessions), *draw_all(sessions)]
    assert done == REFINED
    with sessions() as session:
        assert {point.step for point in read_points(session, "run-1")} == {*COARSE, *REFINED}


def test_a_run_that_trains_is_left_alone(sessions: Sessions, add_run: Callable[..., str]) -> None:
    spec = ImageDdpmSpec.model_validate({"steps": STEPS, "measurement": {"schedule": SCHEDULE.model_dump()}})
    add_run(spec=spec.model_dump(mode="json"), steps=STEPS)
    held = certain(claim(sessions))
    for step in SCHEDULE.saved(STEPS)[:-1]:
        reach(sessions, held, step)
    assert (ask(sessions), waiting(sessions)) == ("", [])


def test_a_run_with_another_schedule_is_left_alone(sessions: Sessions, add_run: Callable[..., str]) -> None:
    add_run(spec=ImageDdpmSpec(steps=STEPS).model_dump(mode="json"), steps=STEPS)
    held = certain(claim(sessions))
    reach(sessions, held, STEPS)
    end(sessions, held, RunState.STOPPED, verdict={"reason": "copies"})
    assert (ask(sessions), refine_ended(sessions)) == ("", 0)
    with sessions() as session:
        assert session.scalars(select(RunEvent).where(RunEvent.name == "refined")).all() == []


def test_a_step_that_nobody_can_sample_leaves_a_gap_that_says_why_and_another_is_chosen(sessions: Sessions, trained: Claim) -> None:
    ask(sessions)
    (lost,) = waiting(sessions)
    with sessions.begin() as session:
        session.execute(update(Evaluation).values(stalls=STALL_LIMIT, lease_until=0.0, reason="the disk is full"))
    with sessions.begin() as session:
        assert claim_evaluation(session, "one", 15, Offer()) is None
    further = draw_all(sessions)
    assert further and lost not in further
    with sessions() as session:
        (gap,) = [point for point in read_points(session, "run-1") if point.step == lost and point.metric == "f_mem"]
    assert gap.value is None and gap.reason is not None and "the disk is full" in gap.reason


def test_a_run_that_its_policy_stopped_is_found_once_and_pruned_only_afterwards(sessions: Sessions, trained: Claim) -> None:
    end(sessions, trained, RunState.STOPPED, verdict={"reason": "copies"})
    with sessions() as session:
        run = session.scalars(select(Run)).one()
        assert ended_runs(session) == set()
        assert all(why_kept(session, run, checkpoint_files(session, [run.id]), read_points(session, run.id)).values())
    further = []
    while refine_ended(sessions):
        further.append(draw(sessions))
    assert further
    with sessions() as session:
        run = session.scalars(select(Run)).one()
        assert to_be_refined(session) == []
        assert ended_runs(session) == {("run-1", run.epoch)}
        assert not all(why_kept(session, run, checkpoint_files(session, [run.id]), read_points(session, run.id)).values())
        assert len(session.scalars(select(RunEvent).where(RunEvent.name == "refined")).all()) == 1


@pytest.mark.parametrize("state", [RunState.FAILED, RunState.STOPPED])
def test_a_run_that_failed_or_was_stopped_by_its_owner_is_not_refined(sessions: Sessions, trained: Claim, state: RunState) -> None:
    end(sessions, trained, state)
    assert refine_ended(sessions) == 0
    assert waiting(sessions) == []
    assert len(kept(sessions)) < len(SCHEDULE.saved(STEPS))
    with sessions() as session:
        assert to_be_refined(session) == []
        (told,) = session.scalars(select(RunEvent.detail).where(RunEvent.name == "refined"))
    assert told == f"not refined: the run {state}"


def test_a_run_that_draws_no_samples_is_not_looked_at_for_ever(sessions: Sessions, add_run: Callable[..., str]) -> None:
    document = {"steps": STEPS, "only_index": 100, "measurement": {"schedule": SCHEDULE.model_dump(), "loss_indices": [100]}}
    add_run(spec=ImageDdpmSpec.model_validate(document).model_dump(mode="json"), steps=STEPS)
    held = certain(claim(sessions))
    reach(sessions, held, STEPS)
    end(sessions, held, RunState.STOPPED, verdict={"reason": "none"})
    assert refine_ended(sessions) == 0
    with sessions() as session:
        assert to_be_refined(session) == []


def test_a_run_that_is_gone_is_passed_over(sessions: Sessions) -> None:
    with sessions.begin() as session:
        assert lock_runs(session, ["run-1"]) == []
        assert refine(session, "run-1") == ""
