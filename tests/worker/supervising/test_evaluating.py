"""Slots draw what training left undrawn, with a child that counts instead."""

import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from backend.storage.artifacts import ArtifactStore
from backend.storage.flush import read_points
from backend.storage.tables import Evaluation, Run, RunFile
from tauscope.contracts.runs import RunState
from tests.worker.fake_child import value
from tests.worker.supervising.supervised import STEPS, WHOLE, Fault, change, steps, the_run
from worker.settings import WorkerSettings
from worker.supervisor import Supervisor, open_services

Sessions = sessionmaker[Session]


@pytest.fixture(autouse=True)
def deferring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_CHILD_DEFERS", "1")


def waiting(sessions: Sessions) -> list[int]:
    with sessions() as session:
        return list(session.scalars(select(Evaluation.step).order_by(Evaluation.step)))


def test_a_run_is_finished_only_when_all_its_samples_are_drawn(supervisor: Supervisor, sessions: Sessions, tiny: str) -> None:
    """With nobody else there, its own slot draws them in the end."""
    supervisor.serve(tiny)
    run = the_run(sessions)
    assert run.state == RunState.FINISHED and waiting(sessions) == []
    assert steps(sessions) == WHOLE
    assert run.final["f_mem"] == value(STEPS)
    store = ArtifactStore(supervisor.services.settings.artifacts_url)
    with sessions() as session:
        samples = {file.step: store.read(file.sha256) for file in session.scalars(select(RunFile).where(RunFile.kind == "samples"))}
    assert samples == {step: f"samples {step}".encode() for step in range(10, STEPS + 1, 10)}
    assert list(supervisor.services.settings.work_folder.iterdir()) == []


def test_another_slot_draws_while_the_run_trains_on(settings: WorkerSettings, sessions: Sessions, tiny: str, last_step_waits: Path) -> None:
    supervisor = Supervisor(open_services(settings.model_copy(update={"slots": 2})))
    training = threading.Thread(target=lambda: supervisor.serve(tiny))
    training.start()
    seen: list[tuple[int, int]] = []
    while training.is_alive():
        if done := supervisor.evaluate(tiny):
            seen.append((done[1], the_run(sessions).step))
            last_step_waits.unlink(missing_ok=True)
        time.sleep(0.01)
    supervisor.close()
    supervisor.services.close()
    assert steps(sessions) == WHOLE
    assert the_run(sessions).final["f_mem"] == value(STEPS)
    assert any(trained < STEPS for _, trained in seen), "nothing was drawn before the training was over"


def test_a_child_that_dies_while_drawing_is_replaced_and_nothing_is_doubled(
    supervisor: Supervisor, sessions: Sessions, tiny: str, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_CHILD_FAULT_STEP", "30")
    fault("die")
    supervisor.serve(tiny)
    assert the_run(sessions).state == RunState.FINISHED
    assert steps(sessions) == WHOLE
    with sessions() as session:
        assert len(read_points(session, tiny)) == 3 * len(WHOLE)


def test_a_worker_that_leaves_breaks_the_drawing_off_and_the_next_one_draws(
    settings: WorkerSettings, sessions: Sessions, tiny: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_CHILD_EVALUATION_SECONDS", "3000")
    first = Supervisor(open_services(settings))
    serving = threading.Thread(target=lambda: first.serve(tiny))
    serving.start()
    while not waiting(sessions) or the_run(sessions).step < STEPS:
        time.sleep(0.02)
    first.stop()
    serving.join(120)
    assert not serving.is_alive(), "it waited for the drawing"
    run = the_run(sessions)
    assert run.state == RunState.QUEUED and len(waiting(sessions)) == len(WHOLE)
    with sessions() as session:
        assert set(session.scalars(select(Evaluation.stalls))) == {0}
    first.close()
    monkeypatch.setenv("FAKE_CHILD_EVALUATION_SECONDS", "0.01")
    second = Supervisor(open_services(settings))
    second.serve(tiny)
    second.close()
    assert the_run(sessions).state == RunState.FINISHED and steps(sessions) == WHOLE


def test_samples_of_a_checkpoint_that_is_damaged_are_drawn_from_an_earlier_one(
    settings: WorkerSettings, sessions: Sessions, tiny: str
) -> None:
    supervisor = Supervisor(open_services(settings.model_copy(update={"segment_seconds": 0.05})))
    supervisor.serve(tiny)
    with sessions() as session:
        first = session.scalars(select(Evaluation.step).order_by(Evaluation.step)).first()
        digest = session.scalars(select(RunFile.sha256).where(RunFile.kind == "weights", RunFile.step == first)).one()
    (Path(settings.artifacts_url) / digest[:2] / digest[2:]).write_bytes(b"damaged")
    assert supervisor.evaluate(tiny) == (tiny, first)
    supervisor.close()
    assert first not in waiting(sessions) and (first, value(first or 0)) in steps(sessions)
    with sessions() as session:
        assert session.scalars(select(Run.state)).one() == RunState.QUEUED


def test_onsets_and_last_values_are_those_of_the_points_at_every_moment(supervisor: Supervisor, sessions: Sessions, tiny: str) -> None:
    """Also when an attempt was lost between two writes: the next one sums up before it does anything else."""
    supervisor.serve(tiny)
    change(sessions, state=RunState.QUEUED, onsets={}, final={"f_mem": -1.0})
    supervisor.serve(tiny)
    run = the_run(sessions)
    assert run.state == RunState.FINISHED and set(run.onsets) == {"tau_gen", "tau_mem"} and run.final["f_mem"] == value(STEPS)
