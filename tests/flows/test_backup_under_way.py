"""A backup made while a worker trains, restored into another home and the other kind of database: the runs end with the same curves."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import select

from backend.storage.database import open_database, session_factory
from backend.storage.tables import Run
from tauscope.client import TauscopeClient
from tauscope.contracts.experiments import ExperimentCreate, ExperimentView
from tauscope.contracts.runs import TERMINAL_STATES, RunState
from tests.service import running_broker, running_service, wait_for
from tests.tiny import PRESET, tiny_training

# One slot: a long run is under way, a short one waits behind it.
SETTINGS = tiny_training(runs=2, steps=1200, checkpoints=5) | {"overrides": {"steps": {"by": "n_train", "values": {8: 1200, 9: 40}}}}


@contextmanager
def service(home: Path, database_url: str) -> Iterator[TauscopeClient]:
    home.mkdir(exist_ok=True)
    with running_broker(home, on_a_port=False) as broker:
        settings = {"TAUSCOPE_DATABASE_URL": database_url, "TAUSCOPE_BROKER_URL": broker, "TAUSCOPE_SLOTS": "1"}
        with running_service(home, settings) as url, TauscopeClient(url) as client:
            yield client


def command(name: str, file: Path, home: Path, database_url: str) -> None:
    environment = {**os.environ, "TAUSCOPE_HOME": str(home), "TAUSCOPE_DATABASE_URL": database_url}
    done = subprocess.run([sys.executable, "-m", "tauscope", name, str(file)], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def over(view: ExperimentView) -> bool:
    # Samples that were left to a spare slot arrive late, though their run is over.
    return all(run.state in TERMINAL_STATES and run.unevaluated == 0 for run in view.runs)


@pytest.mark.parametrize("database_kind", ["sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
def test_restored_runs_finish_with_the_curves_of_the_original(database_url: str, other_database_url: str, tmp_path: Path) -> None:
    home, other, file = tmp_path / "home", tmp_path / "other", tmp_path / "backup.tar"
    with service(home, database_url) as client:
        launched = client.launch(ExperimentCreate(preset=PRESET, settings=SETTINGS))
        wait_for(lambda: any(run.step > 20 for run in client.experiment(launched.id).runs))
        command("backup", file, home, database_url)
        wait_for(lambda: over(client.experiment(launched.id)), seconds=120)
        original = client.curves(launched.id).runs
    command("restore", file, other, other_database_url)
    engine = open_database(other_database_url)
    with session_factory(engine)() as session:
        assert set(session.scalars(select(Run.state))) == {RunState.QUEUED}, "the backup was to catch runs under way"
        assert max(step or 0 for step in session.scalars(select(Run.checkpoint_step))) > 0
    engine.dispose()
    with service(other, other_database_url) as client:
        wait_for(lambda: over(client.experiment(launched.id)), seconds=120)
        assert [run.state for run in client.experiment(launched.id).runs] == [RunState.FINISHED] * 2
        assert client.curves(launched.id).runs == original
        assert client.samples(launched.runs[0].id).n_generated == 32
