"""Whether the service can work, what it consists of, and what it must not load."""

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from backend.app import create_app
from backend.services.context import Context
from backend.settings import ApiSettings
from backend.storage.settings import StorageSettings
from backend.storage.tables import Worker
from tests.backend.conftest import API, FakeWorker, TestClient


def test_readiness_names_the_broker_that_is_away(client: TestClient) -> None:
    response = client.get(f"{API}/ready")
    assert response.status_code == 503
    assert [error["path"] for error in response.json()["errors"]] == ["broker"]


def test_readiness_names_a_schema_that_is_not_current(empty_database_url: str, tmp_path: Path) -> None:
    settings = ApiSettings(database_url=empty_database_url, home=tmp_path, broker_url="memory://")
    with TestClient(create_app(settings), base_url="http://127.0.0.1") as client:
        problem = client.get(f"{API}/ready").json()
    assert [(error["path"], error["remedy"]) for error in problem["errors"]] == [("database", "python -m backend.storage.migrate")]


def test_readiness_names_a_database_that_is_away(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"postgresql://nobody@127.0.0.1:{unused.getsockname()[1]}/none"
        settings = ApiSettings(database_url=url, home=tmp_path, broker_url="memory://")
        with TestClient(create_app(settings), base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
            assert [error["path"] for error in client.get(f"{API}/ready").json()["errors"]] == ["database"]
            response = client.get(f"{API}/experiments")
    assert (response.status_code, response.json()["code"]) == (503, "not_ready")


def test_it_is_ready_with_database_and_broker(database_url: str, tmp_path: Path) -> None:
    settings = ApiSettings(database_url=database_url, home=tmp_path, broker_url="memory://")
    with TestClient(create_app(settings), base_url="http://127.0.0.1") as client:
        assert client.get(f"{API}/ready").json() == {"status": "ready"}


def test_the_system_counts_runs_by_state(client: TestClient, experiment: object, worker: FakeWorker, database_kind: str) -> None:
    worker.claim()
    view = client.get(f"{API}/system").json()
    assert (view["queued"], view["running"], view["workers"]) == (2, 1, [])
    assert view["database"] == {"sqlite": "sqlite", "postgres": "postgresql"}[database_kind]


def test_a_worker_is_asked_to_drain_and_its_operator_can_take_that_back(client: TestClient, context: Context) -> None:
    with context.sessions.begin() as session:
        session.add(Worker(name="lab.local-17", device="cuda:0-3", slots=4, queues=["gpu"], code_version="a"))
    address = f"{API}/workers/lab.local-17/drain"
    assert client.put(address).json()["draining"] is True
    (listed,) = client.get(f"{API}/system").json()["workers"]
    assert (listed["draining"], listed["device"], listed["queues"], listed["code_version"]) == (True, "cuda:0-3", ["gpu"], "a")
    assert client.delete(address).json()["draining"] is False
    problem = client.put(f"{API}/workers/nobody/drain").json()
    assert (problem["status"], problem["code"]) == (404, "worker_not_found")


def test_the_system_tells_the_space_and_warns_from_four_fifths_of_the_quota(
    settings: ApiSettings, client: TestClient, experiment: object, worker: FakeWorker
) -> None:
    sizes = [worker.store_train(claim).n_bytes for claim in (worker.claim(), worker.claim())]
    storage = client.get(f"{API}/system").json()["storage"]
    assert storage["bytes_used"] == sizes[0] == sizes[1], "the same bytes twice are stored once"
    assert (storage["quota_bytes"], storage["warning"]) == (None, "") and storage["free_bytes"] > 0
    for share, warned in ((0.79, False), (0.81, True), (1.2, True)):
        limited = settings.model_copy(update={"quota_gb": sizes[0] / share / 10**9})
        with TestClient(create_app(limited), base_url="http://127.0.0.1") as other:
            warning = other.get(f"{API}/system").json()["storage"]["warning"]
        assert (f"{share:.0%} of the quota" in warning and "prune" in warning) == warned == bool(warning)


def test_readers_never_wait_for_a_writer(client: TestClient, experiment: dict[str, str], worker: FakeWorker) -> None:
    with worker.sessions.begin() as session:
        session.connection()  # On SQLite this holds the one write lock.
        answers: list[int] = []
        paths = ("/experiments", f"/experiments/{experiment['id']}/curves", "/system", "/presets")
        reader = threading.Thread(target=lambda: answers.extend(client.get(API + path).status_code for path in paths))
        reader.start()
        reader.join(60)
    assert answers == [200] * len(paths)


def test_the_web_process_loads_neither_torch_nor_sklearn() -> None:
    code = (
        "import sys\n"
        "from backend.app import create_app\n"
        "from backend.settings import ApiSettings\n"
        "app = create_app(ApiSettings())\n"
        "import backend.__main__, tauscope.client\n"
        "assert app.openapi()['paths']\n"
        "assert not {'torch', 'sklearn', 'streamlit'} & set(sys.modules), sorted(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, timeout=60)


def test_the_service_computes_on_one_thread_and_does_not_spin_on_a_second_that_is_busy() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    code = (
        "import backend.app\n"
        "from threadpoolctl import threadpool_info\n"
        "found = [pool['num_threads'] for pool in threadpool_info() if pool['user_api'] == 'blas']\n"
        "assert found and set(found) == {1}, found\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=180, env=environment)


def test_reading_settings_creates_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAUSCOPE_HOME", str(tmp_path / "home"))
    settings = StorageSettings()
    assert settings.database_url == f"sqlite:///{tmp_path}/home/tauscope.db"
    assert settings.artifacts_url == f"{tmp_path}/home/artifacts"
    assert list(tmp_path.iterdir()) == []


def test_every_setting_is_described() -> None:
    assert all(field.description for field in ApiSettings.model_fields.values())
