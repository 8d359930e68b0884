"""One click adds the twin: beside its run, once, and only where there is something to compare."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from sqlalchemy import update

from backend.services.context import Context
from backend.storage.tables import Run
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.problems import Problem
from tauscope.contracts.run_views import RunView
from tests.backend.conftest import API, FakeWorker, TestClient


def ask(client: TestClient, run_id: str) -> Any:
    return client.post(f"{API}/runs/{run_id}/twin")


def view(client: TestClient, experiment: dict[str, Any]) -> ExperimentView:
    return ExperimentView.model_validate_json(client.get(f"{API}/experiments/{experiment['id']}").content)


def test_the_twin_stands_beside_its_run_on_other_images_and_each_knows_the_other(client: TestClient, experiment: dict[str, Any]) -> None:
    run = experiment["runs"][1]
    response = ask(client, run["id"])
    assert response.status_code == 201, response.text
    twin = RunView.model_validate_json(response.content)
    assert (twin.params, twin.steps, twin.state.value) == ({"n_train": 16, "subset": 1, "seed": 5}, run["steps"], "queued")
    runs = {item.id: item for item in view(client, experiment).runs}
    assert [item.id for item in view(client, experiment).runs[:3]] == [item["id"] for item in experiment["runs"]]
    assert (runs[run["id"]].twin_id, runs[twin.id].twin_id) == (twin.id, run["id"])
    assert [runs[item["id"]].twin_id for item in (experiment["runs"][0], experiment["runs"][2])] == [None, None]


def test_asking_again_from_either_side_returns_the_one_that_is_there(client: TestClient, experiment: dict[str, Any]) -> None:
    run = experiment["runs"][0]["id"]
    twin = ask(client, run).json()["id"]
    again, back = ask(client, run), ask(client, twin)
    assert (again.status_code, again.json()["id"]) == (200, twin)
    assert (back.status_code, back.json()["id"]) == (200, run)
    assert len(view(client, experiment).runs) == 4


def test_two_clicks_at_once_add_one_twin(client: TestClient, experiment: dict[str, Any]) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: ask(client, experiment["runs"][0]["id"]), range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201], [answer.text for answer in answers]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(view(client, experiment).runs) == 4


def test_the_sweep_keeps_its_twins_when_it_grows_and_finds_those_an_axis_brings(client: TestClient, experiment: dict[str, Any]) -> None:
    twin = ask(client, experiment["runs"][0]["id"]).json()["id"]
    grown = client.post(f"{API}/experiments/{experiment['id']}/runs", json={"settings": {"seed": [4, 5], "subset": [0, 1]}})
    assert grown.status_code == 201, grown.text
    runs = ExperimentView.model_validate_json(grown.content).runs
    assert len(runs) == 12, "the twin is one of the runs of the larger sweep, and not a run more"
    assert twin in {run.id for run in runs}
    by_id = {run.id: run for run in runs}
    for run in runs:
        assert run.twin_id is not None
        assert by_id[run.twin_id].twin_id == run.id
        assert run.params["n_train"] == by_id[run.twin_id].params["n_train"]


def test_a_twin_from_before_there_were_twins_is_found(client: TestClient, context: Context) -> None:
    asked = {"preset": "digits-ci", "settings": {"n_train": [8], "steps": 60, "subset": [0, 1], "seed": [4, 5]}}
    runs = client.post(f"{API}/experiments", json=asked).json()["runs"]
    with context.sessions.begin() as session:
        session.execute(update(Run).values(twin_id=None))
    response = ask(client, runs[0]["id"])
    assert (response.status_code, response.json()["id"]) == (200, runs[0]["twin_id"])
    assert response.json()["params"] == {"n_train": 8, "subset": 1, "seed": 5}


def test_the_twin_of_an_extended_run_has_its_steps(client: TestClient, experiment: dict[str, Any], worker: FakeWorker) -> None:
    claim = worker.claim()
    worker.store(claim, "predictions/5.npz", "predictions", 5, predictions=np.ones((2, 1, 8, 8), np.float32))
    worker.measure(claim, 5, checkpoint=True)
    worker.finish(claim)
    extended = client.post(f"{API}/runs/{claim.run_id}/extend", json={"steps": 5000})
    assert extended.status_code == 200, extended.text
    assert ask(client, claim.run_id).json()["steps"] == 5000


def test_a_run_that_is_over_without_predictions_has_nothing_to_compare(
    client: TestClient, experiment: dict[str, Any], worker: FakeWorker
) -> None:
    claim = worker.claim()
    worker.measure(claim, 5)
    worker.finish(claim)
    response = ask(client, claim.run_id)
    problem = Problem.model_validate_json(response.content)
    assert (response.status_code, problem.code) == (409, "run_not_comparable")
    assert "Launch it anew" in problem.remedy
    assert len(view(client, experiment).runs) == 3


def test_without_a_disjoint_slice_the_twin_is_refused_at_its_field(client: TestClient) -> None:
    asked = {"preset": "digits-ci", "settings": {"n_train": [512], "steps": 60, "dataset.n_held_out": 1000}}
    launched = client.post(f"{API}/experiments", json=asked)
    assert launched.status_code == 201, launched.text
    response = ask(client, launched.json()["runs"][0]["id"])
    error = Problem.model_validate_json(response.content).errors[0]
    assert (response.status_code, error.path) == (422, "dataset.subset")
    assert "no disjoint slice left" in error.message and "smaller dataset.n_train" in error.remedy


def test_there_is_no_twin_of_a_run_that_is_not_there(client: TestClient) -> None:
    assert ask(client, "nobody").status_code == 404
