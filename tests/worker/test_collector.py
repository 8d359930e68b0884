"""The reconciler's collection of garbage runs beside its work."""

import time
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from backend.storage.artifacts import ArtifactStore
from backend.storage.tables import Artifact, RunFile
from tests.worker.conftest import AddRun
from tests.worker.test_artifacts import make_old
from worker.collector import Collector
from worker.settings import WorkerSettings


def await_end(collector: Collector) -> None:
    while collector.busy:
        time.sleep(0.01)


@pytest.fixture
def with_a_file(sessions: sessionmaker[Session], add_run: AddRun) -> None:
    """A run that has a file."""
    run_id = add_run()
    with sessions.begin() as session:
        session.add(Artifact(sha256="a" * 64, n_bytes=1))
        session.flush()
        session.add(RunFile(run_id=run_id, path="train.npz", sha256="a" * 64, kind="train"))


@pytest.mark.usefixtures("with_a_file")
def test_a_due_collection_removes_garbage_without_being_waited_for(sessions: sessionmaker[Session], tmp_path: Path) -> None:
    settings = WorkerSettings(home=tmp_path, garbage_seconds=0.05, garbage_grace_seconds=0.3, database_patience_seconds=0.2)
    store = ArtifactStore(settings.artifacts_url)
    collector = Collector(sessions, settings)
    for text in ("one", "two"):
        (tmp_path / "file").write_text(text)
        found = store.find(store.put(tmp_path / "file")[0])
        assert found is not None
        make_old(store, found.path)
        deadline = time.monotonic() + 60
        while store.exists(found.name):
            collector.start_if_due()
            assert time.monotonic() < deadline
            time.sleep(0.01)
    await_end(collector)


@pytest.mark.usefixtures("with_a_file")
def test_a_file_that_a_stepped_clock_made_old_stays_until_it_was_seen_for_one_grace(
    sessions: sessionmaker[Session], tmp_path: Path
) -> None:
    settings = WorkerSettings(home=tmp_path, garbage_seconds=0.01)
    store = ArtifactStore(settings.artifacts_url)
    (tmp_path / "file").write_text("about to be referred to")
    found = store.find(store.put(tmp_path / "file")[0])
    assert found is not None
    make_old(store, found.path)
    collector = Collector(sessions, settings)
    for _ in range(3):
        collector.start_if_due()
        await_end(collector)
        time.sleep(0.02)
    assert store.exists(found.name)


def test_a_database_without_any_file_leaves_the_store_alone(sessions: sessionmaker[Session], tmp_path: Path) -> None:
    settings = WorkerSettings(home=tmp_path)
    store = ArtifactStore(settings.artifacts_url)
    (tmp_path / "file").write_text("of a database that was lost")
    found = store.find(store.put(tmp_path / "file")[0])
    assert found is not None
    make_old(store, found.path)
    collector = Collector(sessions, settings)
    collector.start_if_due()
    await_end(collector)
    assert store.exists(found.name)


def test_results_may_not_be_held_back_for_longer_than_the_grace() -> None:
    with pytest.raises(ValidationError, match="TAUSCOPE_GARBAGE_GRACE_SECONDS"):
        WorkerSettings(garbage_grace_seconds=500)


@pytest.mark.parametrize(
    ("retention", "asked", "left"),
    [("all", "all", [1, 2, 3]), ("all", "pruned", [2, 3]), ("pruned", "all", [2, 3]), ("all", None, [1, 2, 3])],
)
def test_a_run_that_is_over_is_pruned_only_where_that_is_wanted(
    retention: Any, asked: str | None, left: list[int], sessions: sessionmaker[Session], add_run: AddRun, tmp_path: Path
) -> None:
    for run_id, state in (("over", "finished"), ("under-way", "paused")):
        add_run(run_id, state=state, spec={"kind": "image_ddpm"} | ({"retention": asked} if asked else {}))
        with sessions.begin() as session:
            for step in (1, 2, 3):
                sha256 = f"{run_id}-{step}"
                session.add(Artifact(sha256=sha256, n_bytes=1))
                session.flush()
                session.add(RunFile(run_id=run_id, path=f"checkpoints/{step}.json", sha256=sha256, kind="state", step=step))
    collector = Collector(sessions, WorkerSettings(home=tmp_path, retention=retention))
    collector.start_if_due()
    await_end(collector)
    collector.start_if_due()
    with sessions() as session:
        kept = session.execute(select(RunFile.run_id, RunFile.step).order_by(RunFile.run_id, RunFile.step)).all()
        assert [step for run_id, step in kept if run_id == "over"] == left
        assert [step for run_id, step in kept if run_id == "under-way"] == [1, 2, 3]
