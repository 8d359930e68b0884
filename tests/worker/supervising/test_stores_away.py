"""Where the artifacts cannot be read or written: a run waits with the reason, and loses nothing."""

import threading
from pathlib import Path

import pytest
from sqlalchemy import select

from backend.storage.artifacts import ArtifactStore
from backend.storage.tables import Attempt, Run, RunEvent, RunFile
from tauscope.contracts.runs import RunState
from tauscope.specs import ImageDdpmSpec
from tests.worker.supervising.supervised import STEPS, WHOLE, AddRun, Fault, Sessions, change, hurried, serve_until_over, steps, the_run
from worker.settings import WorkerSettings
from worker.supervisor import Supervisor, open_services


def test_a_store_that_is_away_costs_no_point_and_no_checkpoint(
    settings: WorkerSettings, supervisor: Supervisor, sessions: Sessions, tiny: str, fault: Fault, tmp_path: Path
) -> None:
    fault("die")
    supervisor.serve(tiny)
    (tmp_path / "artifacts").rename(tmp_path / "unmounted")
    change(sessions, lease_until=0.0)
    with hurried(settings, store_patience_seconds=0.3) as impatient:
        impatient.serve(tiny)
    run = the_run(sessions)
    assert (run.state, run.checkpoint_step, steps(sessions)) == (RunState.QUEUED, 30, WHOLE[:3])
    assert "empty or not mounted" in run.reason
    (tmp_path / "unmounted").rename(tmp_path / "artifacts")
    assert serve_until_over(supervisor, sessions).state == RunState.FINISHED
    assert steps(sessions) == WHOLE


def test_a_new_run_makes_no_second_store_where_the_first_is_not_mounted(
    settings: WorkerSettings, supervisor: Supervisor, sessions: Sessions, tiny: str, add_run: AddRun, tmp_path: Path
) -> None:
    assert supervisor.serve(tiny) == tiny
    (tmp_path / "artifacts").rename(tmp_path / "unmounted")
    (tmp_path / "artifacts").mkdir()
    add_run("run-2", spec=ImageDdpmSpec(steps=STEPS).model_dump(mode="json"), steps=STEPS)
    with hurried(settings, store_patience_seconds=0.3) as anew:
        assert anew.serve("run-2") == "run-2"
    assert list((tmp_path / "artifacts").iterdir()) == []
    with sessions() as session:
        run = session.get_one(Run, "run-2")
        assert run.state == RunState.QUEUED and "empty or not mounted" in run.reason


@pytest.mark.parametrize("trouble", ["stalls", "fails"])
def test_a_worker_that_is_asked_to_leave_does_not_wait_for_a_store_that_is_away(
    settings: WorkerSettings, sessions: Sessions, tiny: str, fault: Fault, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    fault("die")
    supervisor = Supervisor(open_services(settings))
    supervisor.serve(tiny)
    change(sessions, lease_until=0.0)
    fetching, over = threading.Event(), threading.Event()

    def away(_store: ArtifactStore, _sha256: str, _to: Path) -> None:
        fetching.set()
        if trouble == "stalls":
            over.wait(120)
        raise OSError(trouble)

    monkeypatch.setattr(ArtifactStore, "fetch", away)
    thread = threading.Thread(target=supervisor.serve, args=(tiny,))
    thread.start()
    assert fetching.wait(60)
    supervisor.stop()
    thread.join(60)
    assert not thread.is_alive()
    over.set()
    supervisor.close()
    supervisor.services.close()
    run = the_run(sessions)
    assert (run.state, run.checkpoint_step) == (RunState.QUEUED, 30)
    with sessions() as session:
        outcome = session.scalars(select(Attempt.outcome).order_by(Attempt.epoch.desc())).first()
    assert outcome == "the worker was asked to leave"


def test_a_store_that_cannot_write_gives_the_run_back_with_the_reason(
    settings: WorkerSettings, supervisor: Supervisor, sessions: Sessions, tiny: str, tmp_path: Path
) -> None:
    (tmp_path / "artifacts").write_text("a file where the folder should be")
    with hurried(settings, store_patience_seconds=0.3) as impatient:
        impatient.serve(tiny)
    run = the_run(sessions)
    assert run.state == RunState.QUEUED
    assert "could not be stored" in run.reason
    (tmp_path / "artifacts").unlink()
    assert serve_until_over(supervisor, sessions).state == RunState.FINISHED
    assert steps(sessions) == WHOLE


def test_a_damaged_checkpoint_is_given_up_for_the_one_before(supervisor: Supervisor, sessions: Sessions, tiny: str, fault: Fault) -> None:
    fault("die")
    supervisor.serve(tiny)
    with sessions() as session:
        sha256 = session.scalars(select(RunFile.sha256).where(RunFile.path == "checkpoints/30.safetensors")).one()
    path = Path(supervisor.services.settings.artifacts_url) / sha256[:2] / sha256[2:]
    path.write_bytes(path.read_bytes()[:-1])
    assert serve_until_over(supervisor, sessions).state == RunState.FINISHED
    assert steps(sessions) == WHOLE
    with sessions() as session:
        assert "checkpoint_damaged" in set(session.scalars(select(RunEvent.name)))
