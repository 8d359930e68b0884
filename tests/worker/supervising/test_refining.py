"""A trained run's saved checkpoints are sampled further, to the same end whatever dies meanwhile; with a child that counts instead."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from backend.storage.flush import read_points
from backend.storage.tables import Evaluation, RunEvent, RunFile
from tauscope.contracts.runs import RunState
from tauscope.specs import ImageDdpmSpec
from tauscope.specs.schedule import Adaptive
from tests.worker.supervising.supervised import AddRun, Fault, change, the_run
from worker.reconciler import reconcile
from worker.settings import WorkerSettings
from worker.supervisor import Supervisor, open_services

Sessions = sessionmaker[Session]
STEPS, COPIES_FROM = 100, 33
SCHEDULE = Adaptive(first=5, count=4, checkpoints=40, target=1.15, budget=6)
COARSE = [5, 14, 37, 100]
REFINED = [23, 29, 32, 34]  # What halving 14 to 37 in log tau comes to.


@pytest.fixture(autouse=True)
def copying(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_CHILD_COPIES_FROM", str(COPIES_FROM))


@pytest.fixture
def adaptive(add_run: AddRun) -> Callable[..., str]:
    def add(**fields: object) -> str:
        document = {"steps": STEPS, "measurement": {"schedule": SCHEDULE.model_dump(), "n_generated": 32}} | fields
        return add_run(spec=ImageDdpmSpec.model_validate(document).model_dump(mode="json"), steps=STEPS)

    return add


def sampled(sessions: Sessions) -> list[int]:
    with sessions() as session:
        return [point.step for point in read_points(session, "run-1") if point.metric == "f_mem"]


def kept(sessions: Sessions) -> set[int | None]:
    with sessions() as session:
        return set(session.scalars(select(RunFile.step).where(RunFile.kind == "weights")))


def told(sessions: Sessions, name: str) -> list[str]:
    with sessions() as session:
        return list(session.scalars(select(RunEvent.detail).where(RunEvent.name == name).order_by(RunEvent.id)))


def assert_refined(sessions: Sessions) -> None:
    """The very steps, each measured once from samples that are stored, and no checkpoint kept that has none, but for the newest."""
    assert sampled(sessions) == sorted(COARSE + REFINED)
    with sessions() as session:
        assert session.scalars(select(Evaluation.step)).all() == []
        assert set(session.scalars(select(RunFile.step).where(RunFile.kind == "samples"))) == {*COARSE, *REFINED}
    assert {*COARSE, *REFINED} <= kept(sessions) <= {*COARSE, *REFINED, *SCHEDULE.saved(STEPS)[-2:]}
    onset = the_run(sessions).onsets["tau_mem"]
    assert (onset["low"], onset["high"]) == (32, 34)


def test_a_run_finishes_once_its_onset_is_known(supervisor: Supervisor, sessions: Sessions, adaptive: Callable[..., str]) -> None:
    supervisor.serve(adaptive())
    run = the_run(sessions)
    assert (run.state, run.reason) == (RunState.FINISHED, "")
    assert_refined(sessions)
    assert told(sessions, "refining")[0] == (
        "refines tau_mem (14 to 37, a factor of 2.64): draws the samples of step 23, 1 of at most 6 further checkpoints"
    )
    assert told(sessions, "refined") == ["4 further checkpoints of at most 6 sampled; tau_mem (32 to 34, a factor of 1.06)"]


def test_a_child_that_dies_while_it_draws_changes_nothing(
    supervisor: Supervisor, sessions: Sessions, adaptive: Callable[..., str], fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_CHILD_FAULT_STEP", str(REFINED[1]))
    fault("die")
    supervisor.serve(adaptive())
    assert the_run(sessions).state == RunState.FINISHED
    assert_refined(sessions)


def test_the_next_worker_goes_on_where_one_that_left_had_come_to_also_from_a_damaged_checkpoint(
    settings: WorkerSettings, sessions: Sessions, adaptive: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_CHILD_EVALUATION_SECONDS", "0.3")
    first = Supervisor(open_services(settings))
    run_id = adaptive()
    serving = threading.Thread(target=lambda: first.serve(run_id))
    serving.start()
    deadline = time.monotonic() + 60
    while len(told(sessions, "refining")) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert the_run(sessions).reason.startswith("refines tau_mem")
    first.stop()
    serving.join(60)
    first.close()
    run = the_run(sessions)
    assert run.state == RunState.QUEUED and len(sampled(sessions)) < len(COARSE + REFINED)
    assert set(SCHEDULE.saved(STEPS)) <= kept(sessions)
    damage(settings, sessions, max(set(REFINED) - set(sampled(sessions))))
    second = Supervisor(open_services(settings))
    second.serve(run_id)
    second.close()
    assert the_run(sessions).state == RunState.FINISHED
    assert_refined(sessions)


def damage(settings: WorkerSettings, sessions: Sessions, step: int) -> None:
    with sessions() as session:
        digest = session.scalars(select(RunFile.sha256).where(RunFile.kind == "weights", RunFile.step == step)).one()
    (Path(settings.artifacts_url) / digest[:2] / digest[2:]).write_bytes(b"damaged")


def refine_to_the_end(supervisor: Supervisor, sessions: Sessions) -> None:
    """What the reconciler and whoever is woken do of a run that is over."""
    for _ in range(20):
        reconcile(sessions, supervisor.services.outbox, stale_seconds=0.0)
        if supervisor.evaluate("run-1") is None:
            break


def test_a_run_that_its_policy_stopped_is_refined_too_and_its_verdict_stays(
    supervisor: Supervisor, sessions: Sessions, adaptive: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The policy has seen the coarse checkpoints; the further ones, between them, would have let it stop sooner."""
    monkeypatch.setenv("FAKE_CHILD_STEP_SECONDS", "0.02")  # Time to be told to stop before the last step.
    monkeypatch.setenv("FAKE_CHILD_COPIES_FROM", "12")
    supervisor.serve(adaptive(stopping={"name": "copying", "confirmations": 1, "level": 0.05}))
    stopped = the_run(sessions)
    assert stopped.state == RunState.STOPPED and stopped.verdict["step"] == 14
    refine_to_the_end(supervisor, sessions)
    run = the_run(sessions)
    assert (run.state, run.verdict, run.reason) == (RunState.STOPPED, stopped.verdict, stopped.reason)
    assert len(sampled(sessions)) > 2
    onset = run.onsets["tau_mem"]
    assert (onset["low"], onset["high"]) == (11, 12)
    assert len(told(sessions, "refined")) == 1


def test_a_run_that_its_owner_stopped_is_not_refined_and_lets_its_saved_checkpoints_go(
    supervisor: Supervisor, sessions: Sessions, adaptive: Callable[..., str], last_step_waits: Path
) -> None:
    run_id = adaptive()
    serving = threading.Thread(target=lambda: supervisor.serve(run_id))
    serving.start()
    deadline = time.monotonic() + 60
    while the_run(sessions).step < STEPS - 1 and time.monotonic() < deadline:
        time.sleep(0.02)
    change(sessions, desired="stop")
    serving.join(60)
    assert the_run(sessions).state == RunState.STOPPED
    refine_to_the_end(supervisor, sessions)
    assert sampled(sessions) == COARSE[:-1]
    assert len(kept(sessions)) <= len(COARSE) + 2
    (words,) = told(sessions, "refined")
    assert words == "not refined: the run stopped"
