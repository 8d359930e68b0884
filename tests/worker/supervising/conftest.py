"""Fixtures of a supervisor with a child that counts instead of training, and one tiny run for it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tauscope.specs import ImageDdpmSpec
from tests.worker.supervising.supervised import STEPS, AddRun
from worker.settings import WorkerSettings
from worker.supervisor import Supervisor, open_services


@pytest.fixture
def database_kind() -> str:
    """One kind is enough here: what the worker writes is tested on both by itself, and in whole flows."""
    return "sqlite"


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> WorkerSettings:
    return WorkerSettings(
        home=tmp_path,
        database_url=database_url,
        broker_url=f"redis+socket://{tmp_path}/no-broker.sock",
        slots=1,
        flush_seconds=0.05,
        trainer_module="tests.worker.fake_child",
        # A busy machine needs it; a test that wants patience to run out has a supervisor of its own.
        end_seconds=60.0,
        store_patience_seconds=60.0,
    )


@pytest.fixture
def supervisor(settings: WorkerSettings) -> Iterator[Supervisor]:
    services = open_services(settings)
    supervisor = Supervisor(services)
    yield supervisor
    supervisor.close()
    services.close()


@pytest.fixture
def fault(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str, int], None]:
    """Let the child misbehave a number of times."""

    def set_fault(kind: str, times: int = 1) -> None:
        (tmp_path / "faults").write_text(str(times))
        monkeypatch.setenv("FAKE_CHILD_FAULT", kind)
        monkeypatch.setenv("FAKE_CHILD_FAULTS_LEFT", str(tmp_path / "faults"))

    return set_fault


@pytest.fixture
def last_step_waits(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """While this file is there no run finishes, however slow the machine is to ask something of it."""
    file = tmp_path / "last-step-waits"
    file.touch()
    monkeypatch.setenv("FAKE_CHILD_LAST_STEP_WAITS", str(file))
    return file


@pytest.fixture
def tiny(add_run: AddRun) -> str:
    return add_run(spec=ImageDdpmSpec(steps=STEPS).model_dump(mode="json"), steps=STEPS)
