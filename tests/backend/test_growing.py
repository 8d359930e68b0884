"""Adding seeds and training-set sizes to a sweep that was launched before."""

from typing import Any

import pytest
from sqlalchemy import select

from backend.services.context import Context
from backend.storage.tables import Experiment, Run, RunEvent
from tauscope.contracts.experiments import ExperimentView, Plan
from tauscope.contracts.problems import Problem
from tauscope.specs import load_preset
from tests.backend.conftest import API, FakeWorker, TestClient

SEEDS = {"settings": {"seed": [4, 5]}}


def grow(client: TestClient, experiment: dict[str, Any], body: dict[str, Any]) -> Any:
    return client.post(f"{API}/experiments/{experiment['id']}/runs", json=body)


def finish_all(worker: FakeWorker, count: int) -> None:
    for _ in range(count):
        claim = worker.claim()
        worker.measure(claim, 5)
        worker.finish(claim, tau_mem=100.0)


def test_a_finished_sweep_gets_further_seeds_and_keeps_its_runs(
    client: TestClient, experiment: dict[str, Any], worker: FakeWorker, context: Context
) -> None:
    finish_all(worker, 3)
    response = grow(client, experiment, SEEDS)
    assert response.status_code == 201, response.text
    view = ExperimentView.model_validate_json(response.content)
    held = [run["id"] for run in experiment["runs"]]
    assert [run.id for run in view.runs[:3]] == held
    assert [(run.params, run.state.value) for run in view.runs[:3]] == [({"n_train": n, "seed": 4}, "finished") for n in (8, 16, 32)]
    assert [(run.params, run.state.value) for run in view.runs[3:]] == [({"n_train": n, "seed": 5}, "queued") for n in (8, 16, 32)]
    assert view.state.value == "running"
    assert view.sweep["axes"]["seed"] == [4, 5]
    with context.sessions() as session:
        told = session.scalars(select(RunEvent.name).where(RunEvent.run_id == held[0]).order_by(RunEvent.id)).all()
    assert told[-1] == "renamed"


def test_a_larger_n_needs_its_own_steps_and_gets_a_run(client: TestClient, experiment: dict[str, Any]) -> None:
    refused = grow(client, experiment, {"settings": {"n_train": [8, 16, 32, 64]}})
    assert refused.status_code == 422
    assert Problem.model_validate_json(refused.content).errors[0].path == "overrides.steps.values"
    taken = grow(client, experiment, {"settings": {"n_train": [8, 16, 32, 64], "overrides.steps.values.64": 1600}})
    assert taken.status_code == 201, taken.text
    assert [(run["n_train"], run["steps"]) for run in taken.json()["runs"]] == [(8, 150), (16, 400), (32, 800), (64, 1600)]


def test_a_plan_of_growth_lists_the_new_runs_alone_and_changes_nothing(
    client: TestClient, experiment: dict[str, Any], context: Context
) -> None:
    response = client.post(f"{API}/experiments/{experiment['id']}/runs/plan", json=SEEDS)
    plan = Plan.model_validate_json(response.content)
    assert [(run.index, run.params) for run in plan.runs] == [(place, {"n_train": n, "seed": 5}) for place, n in enumerate((8, 16, 32))]
    with context.sessions() as session:
        assert len(session.scalars(select(Run)).all()) == 3
        assert "seed" not in session.scalars(select(Experiment)).one().sweep["axes"]


def test_a_plan_that_adds_nothing_yet_is_no_fault(client: TestClient, experiment: dict[str, Any], worker: FakeWorker) -> None:
    finish_all(worker, 3)  # Else there is nothing to estimate a duration from.
    response = client.post(f"{API}/experiments/{experiment['id']}/runs/plan", json={})
    assert (response.status_code, response.json()["runs"]) == (200, [])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"seed": [5, 6]}, "leaves out 3 of the experiment's 3 runs"),
        ({"n_train": [8, 16]}, "leaves out 1 of the experiment's 3 runs: n_train=32"),
        ({"lr": 0.5}, "leaves out 3"),
        ({"seed": 4}, "adds no run"),
        ({"seed": [4, 5], "steps": 9000}, "9,000 steps"),
    ],
)
def test_a_sweep_only_grows(client: TestClient, experiment: dict[str, Any], changes: dict[str, Any], words: str) -> None:
    response = grow(client, experiment, {"settings": changes})
    problem = Problem.model_validate_json(response.content)
    assert response.status_code == 422
    assert words in problem.errors[0].message and problem.errors[0].remedy
    assert len(client.get(f"{API}/experiments/{experiment['id']}").json()["runs"]) == 3


def test_a_run_that_was_extended_is_still_part_of_the_sweep(
    client: TestClient, experiment: dict[str, Any], worker: FakeWorker, context: Context
) -> None:
    finish_all(worker, 3)
    assert client.post(f"{API}/runs/{experiment['runs'][0]['id']}/extend", json={"steps": 3000}).is_success
    assert grow(client, experiment, SEEDS).status_code == 201


def test_a_reader_of_the_stream_that_knew_fewer_runs_goes_on_where_it_was(
    client: TestClient, experiment: dict[str, Any], worker: FakeWorker, context: Context
) -> None:
    from backend.services.stream import ExperimentStream

    stream = ExperimentStream.open(context, experiment["id"], None)
    stream.poll()
    cursor = client.get(f"{API}/experiments/{experiment['id']}/curves").json()["cursor"]
    assert grow(client, experiment, SEEDS).status_code == 201
    worker.measure(worker.claim(), 5)
    for reader in (stream, ExperimentStream.open(context, experiment["id"], cursor)):
        events = reader.poll() or []
        assert sum(event.event == "points" for event in events) == 1
        assert sum(event.event == "run" for event in events) == 6


def test_runs_of_an_unknown_experiment_are_refused(client: TestClient) -> None:
    assert grow(client, {"id": "0nothing"}, SEEDS).status_code == 404


def test_a_combination_that_is_there_as_a_further_run_is_not_made_again(client: TestClient) -> None:
    sweep = load_preset("digits-ci").sweep.model_dump(mode="json") | {"axes": {"n_train": [8]}, "further": [{"n_train": 16, "steps": 400}]}
    made = client.post(f"{API}/experiments", json={"sweep": sweep}).json()
    assert [(run["n_train"], run["steps"]) for run in made["runs"]] == [(8, 150), (16, 400)]
    assert grow(client, made, {"settings": {"n_train": [8, 16]}}).status_code == 422
    grown = grow(client, made, {"settings": {"n_train": [8, 16, 32]}})
    assert [(run["n_train"], run["steps"]) for run in grown.json()["runs"]] == [(8, 150), (16, 400), (32, 800)]
