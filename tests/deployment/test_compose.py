"""docker-compose.yml, without a container runtime: what it says of each service, and that its very commands make a service."""

import secrets
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tauscope.client import TauscopeClient
from tauscope.contracts.experiments import ExperimentCreate
from tauscope.contracts.runs import TERMINAL_STATES, RunState
from tests.deployment.compose import ROOT, MissingVariableError, read_compose
from tests.deployment.deployment import Deployment
from tests.postgres import Postgres
from tests.service import wait_for
from tests.throwaway import belongings, throwaway_folder

SECRETS = {name: secrets.token_urlsafe(32) for name in ("POSTGRES_PASSWORD", "BROKER_PASSWORD", "TAUSCOPE_TOKEN")}
TINY: dict[str, Any] = {
    "n_train": [8],
    "steps": 20,
    "n_generated": 32,
    "network.base_width": 8,
    "measurement.sampler.steps": 16,
    "measurement.schedule": {"kind": "log_spaced", "first": 5, "count": 2},
}
# Everything that runs for long, in the order in which it can be stopped.
PARTS = ("dashboard", "api", "worker", "reconciler", "broker")


@pytest.fixture(scope="module")
def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = read_compose(SECRETS)["services"]
    return found


@pytest.fixture
def without_database() -> Iterator[Deployment]:
    """Everything but Postgres, to be started by its own command."""
    with throwaway_folder("tauscope-compose-") as folder:
        assert folder is not None
        deployment = Deployment(read_compose(SECRETS), folder)
        try:
            yield deployment
        finally:
            for process in deployment.processes.values():
                process.kill()
                process.wait()
            print(deployment.logs())


@pytest.fixture
def deployment(without_database: Deployment) -> Iterator[Deployment]:
    """A running Postgres, and everything else to be started by its own command."""
    # Who connects over the network needs the password, as in the image.
    access = "local all postgres trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
    port = int(without_database.ports["5432"])
    postgres = Postgres(without_database.folder, port=port, options="-c listen_addresses=127.0.0.1", access=access)
    postgres.start()
    set_up(postgres, without_database.services["postgres"]["environment"])
    (without_database.bin / "pg_isready").symlink_to(postgres.commands / "pg_isready")
    yield without_database
    postgres.stop()


def set_up(postgres: Postgres, environment: dict[str, str]) -> None:
    """Make the role and the database that the image makes of its environment."""
    role, password, database = (environment[f"POSTGRES_{name}"] for name in ("USER", "PASSWORD", "DB"))
    with postgres.connect() as connection:
        connection.execute(f"CREATE ROLE {role} SUPERUSER LOGIN PASSWORD '{password}'".encode())
        connection.execute(f"CREATE DATABASE {database} OWNER {role}".encode())


def launch_and_follow(client: TauscopeClient) -> list[tuple[RunState, str]]:
    view = client.launch(ExperimentCreate(preset="digits-ci", settings=TINY))
    wait_for(lambda: all(run.state in TERMINAL_STATES for run in client.experiment(view.id).runs), "the end of the run", 60)
    assert client.samples(client.experiment(view.id).runs[0].id).step == 20
    return [(run.state, run.reason) for run in client.experiment(view.id).runs]


def status(address: str, path: str, **headers: str) -> int:
    return httpx.get(f"{address}{path}", headers=headers, trust_env=False, timeout=10).status_code


def test_its_very_commands_finish_an_experiment_that_only_the_token_may_launch(deployment: Deployment) -> None:
    for name in ("broker", "migrate", "api", "worker", "reconciler", "dashboard"):
        deployment.start(name)
    for name in ("api", "dashboard", "worker", "reconciler"):
        wait_for(lambda name=name: deployment.is_healthy(name), f"a healthy {name}")

    page = deployment.address("dashboard")
    assert status(page, "/api/v1/experiments") == status(page, "/api/v1/experiments", authorization="Bearer wrong") == 401
    assert status(deployment.address("api"), "/api/v1/experiments") == 401
    with TauscopeClient(page, token=SECRETS["TAUSCOPE_TOKEN"]) as client:
        assert launch_and_follow(client) == [(RunState.FINISHED, "")]

    assert not set(deployment.processes) - {*PARTS, "migrate"}
    for name in PARTS:
        assert deployment.processes[name].poll() is None, f"{name} has ended by itself"
    for name in PARTS:
        deployment.stop(name)
    assert belongings(deployment.folder / "home") + belongings(deployment.folder / "broker") == [], "a signal did not reach every process"
    assert not any(secret in deployment.logs() for secret in SECRETS.values())


def test_a_dead_part_is_unhealthy(deployment: Deployment) -> None:
    deployment.start("broker")
    wait_for(lambda: deployment.is_healthy("broker"), "a healthy broker")
    deployment.stop("broker")
    assert [name for name in PARTS if deployment.is_healthy(name)] == []


def test_a_broker_without_its_password_refuses(without_database: Deployment) -> None:
    without_database.start("broker")
    wait_for(lambda: without_database.is_healthy("broker"), "a healthy broker")
    without_database.services["broker"]["environment"]["BROKER_PASSWORD"] = "wrong"
    assert not without_database.is_healthy("broker")


@pytest.mark.parametrize("name", SECRETS)
def test_a_missing_or_empty_secret_is_an_error(name: str) -> None:
    others = {key: value for key, value in SECRETS.items() if key != name}
    for variables in (others, others | {name: ""}):
        with pytest.raises(MissingVariableError, match=f"set {name}"):
            read_compose(variables)


def test_no_service_runs_as_root_or_may_become_it(services: dict[str, dict[str, Any]]) -> None:
    user = [line.split()[1] for line in (ROOT / "Dockerfile").read_text().splitlines() if line.startswith("USER ")]
    assert user == ["10001:10001"]
    for name, service in services.items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        # Images of others start as root unless told; ours name their user themselves.
        assert service.get("user") == (None if "build" in service else {"postgres": "postgres", "broker": "valkey"}[name])


def test_our_services_can_write_to_their_volume_and_nowhere_else(services: dict[str, dict[str, Any]]) -> None:
    ours = {name: service for name, service in services.items() if "build" in service}
    assert set(ours) == {"migrate", "api", "dashboard", "worker", "worker-gpu", "reconciler"}
    for service in ours.values():
        assert (service["read_only"], service["volumes"], service["tmpfs"]) == (True, ["tauscope:/var/lib/tauscope"], ["/tmp"])


def test_only_the_dashboard_can_be_reached_and_from_this_machine_alone(services: dict[str, dict[str, Any]]) -> None:
    published = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert published == {"dashboard": ["127.0.0.1:8501:8501"]}


def test_a_gpu_worker_differs_from_a_worker_in_its_image_devices_and_queue_alone(services: dict[str, dict[str, Any]]) -> None:
    gpu, cpu = services["worker-gpu"], services["worker"]
    differing = {key for key in gpu if gpu[key] != cpu.get(key)}
    assert differing == {"build", "image", "profiles", "deploy", "environment"}
    assert dict(gpu["environment"].items() - cpu["environment"].items()) == {"TAUSCOPE_QUEUES": "gpu"}
    assert cpu["environment"]["TAUSCOPE_QUEUES"] == "default", "a run would go from a GPU to a CPU and back"
