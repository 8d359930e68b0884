"""From a request to the result, with real training, on both stacks; what comes out is what the library gives alone."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from launcher.broker import answers, prepare_broker
from launcher.readiness import answers_ok
from tauscope.client import TauscopeClient
from tauscope.contracts.experiments import ExperimentCreate, ExperimentView
from tauscope.contracts.runs import TERMINAL_STATES, RunState
from tauscope.execution.local_sweep import LocalSweep
from tauscope.specs import apply_settings, load_preset

PRESET = "digits-ci"
SETTINGS: dict[str, Any] = {
    "n_train": [8, 16],
    "steps": 20,
    "n_generated": 32,
    "measurement.sampler.steps": 16,
    "measurement.schedule": {"kind": "log_spaced", "first": 2, "count": 4},
}

Values = dict[str, dict[str, list[tuple[int, float | None]]]]


def wait_for(condition: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def broker_url(database_kind: str, tmp_path: Path) -> Iterator[str]:
    """The embedded broker on its socket beside SQLite; a server on a port, as in a cluster, beside Postgres."""
    plan = prepare_broker(tmp_path / "broker")
    command, url = list(plan.command), plan.url
    if database_kind == "postgres":
        port = free_port()
        command, url = [command[0], "--port", str(port), "--bind", "127.0.0.1"], f"redis://127.0.0.1:{port}/0"
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=tmp_path)
    wait_for(lambda: answers(url))
    yield url
    process.terminate()
    process.wait()
    plan.clean_up()


@pytest.fixture
def client(database_kind: str, database_url: str, broker_url: str, tmp_path: Path) -> Iterator[TauscopeClient]:
    """The service as separate processes, each of which sends every message twice."""
    port = free_port()
    environment = {
        **os.environ,
        "TAUSCOPE_HOME": str(tmp_path),
        "TAUSCOPE_DATABASE_URL": database_url,
        "TAUSCOPE_BROKER_URL": broker_url,
        "TAUSCOPE_SLOTS": "2",
        "TAUSCOPE_DEFER_SAMPLES": "always" if database_kind == "postgres" else "spare",
        # Short enough that runs are given back and taken up again in the middle.
        "TAUSCOPE_SEGMENT_SECONDS": "1",
    }
    commands = [["backend", "--port", str(port)], ["worker"], ["worker.reconciler"]]
    log = (tmp_path / "log").open("ab")
    processes = [
        subprocess.Popen([sys.executable, "-m", "tests.flows.doubled", *command], env=environment, stdout=log, stderr=log)
        for command in commands
    ]
    url = f"http://127.0.0.1:{port}"
    wait_for(lambda: answers_ok(f"{url}/api/v1/ready"))
    with TauscopeClient(url) as client:
        yield client
    for process in processes:
        process.terminate()
    for process in processes:
        process.wait(timeout=15)
    log.close()
    print((tmp_path / "log").read_text()[-8000:])


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Values:
    """The curves of the same sweep, run without any service."""
    sweep = LocalSweep(apply_settings(load_preset(PRESET).sweep, SETTINGS), tmp_path_factory.mktemp("alone") / "sweep")
    sweep.execute(processes=2)
    values: Values = {}
    for run in sweep.runs:
        curves = values.setdefault(run.plan.label, {})
        for point in run.points:
            curves.setdefault(point.metric, []).append((point.step, point.value))
    return values


def follow(client: TauscopeClient, view: ExperimentView) -> ExperimentView:
    seen: list[ExperimentView] = [view]

    def over() -> bool:
        seen.append(client.experiment(view.id))
        return all(run.state in TERMINAL_STATES for run in seen[-1].runs)

    wait_for(over, seconds=120)
    return seen[-1]


def test_a_submitted_sweep_gives_the_curves_of_the_library_though_every_message_comes_twice(client: TauscopeClient, alone: Values) -> None:
    view = follow(client, client.launch(ExperimentCreate(preset=PRESET, settings=SETTINGS)))
    assert [(run.state, run.reason) for run in view.runs] == [(RunState.FINISHED, "")] * 2
    assert sum(run.epoch for run in view.runs) > 2, "no run was given back in the middle, so nothing was resumed"
    curves = client.curves(view.id).runs
    served: Values = {
        run.label: {metric: list(zip(series.step, series.value, strict=True)) for metric, series in curves[run.id].items()}
        for run in view.runs
    }
    assert served == alone
    for run in view.runs:
        samples = client.samples(run.id)
        assert (samples.step, samples.n_generated) == (20, 32)
        assert set(run.onsets) == {"tau_gen", "tau_mem"}
        assert run.final["step"] == 20


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_a_stopped_sweep_keeps_what_it_measured(client: TauscopeClient) -> None:
    long = SETTINGS | {"steps": 100_000, "n_train": [8]}
    view = client.launch(ExperimentCreate(preset=PRESET, settings=long))
    wait_for(lambda: client.experiment(view.id).runs[0].step > 10)
    client.stop(view.id)
    asked = time.monotonic()
    ended = follow(client, view)
    assert time.monotonic() - asked < 10
    assert ended.runs[0].state is RunState.STOPPED
    # What was left to the spare slot arrives late, though the run is over.
    wait_for(lambda: client.run(view.runs[0].id).unevaluated == 0)
    assert client.curves(view.id).runs[ended.runs[0].id]["f_mem"].step
