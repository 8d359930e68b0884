"""Explorations over HTTP: started among candidates that can be run, paused and stopped, shown with their log."""

from typing import Any

import pytest

from backend.services.context import Context
from backend.storage.tables import Worker
from tauscope.contracts.exploration import Explorations, ExplorationView
from tauscope.contracts.problems import Problem
from tests.backend.conftest import API, FakeWorker, TestClient
from worker.exploring import Explorer

BODY: dict[str, Any] = {
    "candidates": {"n_train": [16, 8, 32, 16], "width": [16, 8], "seed": [4]},
    "budget": {"kind": "steps", "amount": 9000},
}


def start(client: TestClient, experiment: dict[str, Any], body: dict[str, Any] = BODY) -> Any:
    return client.post(f"{API}/experiments/{experiment['id']}/exploration", json=body)


def history(client: TestClient, experiment: dict[str, Any]) -> tuple[ExplorationView, ...]:
    response = client.get(f"{API}/experiments/{experiment['id']}/exploration")
    return Explorations.model_validate_json(response.content).items


def test_an_exploration_is_started_and_shown_with_what_it_may_choose_from(client: TestClient, experiment: dict[str, Any]) -> None:
    assert history(client, experiment) == ()
    response = start(client, experiment)
    assert response.status_code == 201, response.text
    (view,) = history(client, experiment)
    assert (view.candidates.n_train, view.candidates.width) == ((8, 16, 32), (8, 16))
    assert (view.state, view.spent.spent, view.spent.committed, view.decisions) == ("running", 0, 0, ())


def test_without_seeds_those_of_the_experiment_are_taken(client: TestClient, experiment: dict[str, Any]) -> None:
    start(client, experiment, BODY | {"candidates": {"n_train": [8, 16], "width": [8]}})
    assert history(client, experiment)[0].candidates.seed == (4,)


def test_decisions_are_shown_with_their_reasons_and_what_is_spent(
    client: TestClient, experiment: dict[str, Any], worker: FakeWorker, context: Context
) -> None:
    for _ in range(3):
        claim = worker.claim()
        worker.measure(claim, claim.steps)
        worker.finish(claim, tau_mem=100.0)
    start(client, experiment)
    with context.sessions.begin() as session:
        session.add(Worker(name="w", device="cpu", slots=1, queues=["default"]))
    assert Explorer(context.sessions, context.outbox).explore() == 1
    (view,) = history(client, experiment)
    (decision,) = view.decisions
    (chosen,) = decision.chosen
    assert chosen.run is not None and chosen.steps == chosen.more_steps == chosen.cost == decision.cost == view.spent.committed
    assert "lies" in chosen.why or "may lie" in chosen.why
    assert decision.remaining == 9000
    assert view.next is not None and (view.next.chosen or view.next.reason)


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"candidates": {"n_train": [8, 12], "width": [12], "seed": [1]}}, "run(n_train=8, width=12, seed=1).network.base_width"),
        ({"candidates": {"n_train": [8, 5000], "width": [8], "seed": [1]}}, "dataset.n_train"),
        ({"candidates": {"n_train": [8], "width": [8], "seed": [1]}}, "body.candidates.n_train"),
        ({"budget": {"kind": "steps", "amount": 0}}, "body.budget.amount"),
    ],
)
def test_what_cannot_be_run_is_refused_at_its_field(
    client: TestClient, experiment: dict[str, Any], changes: dict[str, Any], path: str
) -> None:
    response = start(client, experiment, BODY | changes)
    assert response.status_code == 422
    problem = Problem.model_validate_json(response.content)
    assert problem.errors[0].path == path and problem.errors[0].remedy
    assert history(client, experiment) == ()


def test_a_sweep_over_something_else_is_refused(client: TestClient) -> None:
    made = client.post(f"{API}/experiments", json={"preset": "digits-ci", "settings": {"lr": [1e-3, 2e-3]}}).json()
    response = start(client, made)
    assert response.status_code == 422
    assert Problem.model_validate_json(response.content).errors[0].path == "axes.lr"


def test_checkpoints_that_are_written_out_are_refused(client: TestClient) -> None:
    settings = {"measurement.schedule": {"kind": "explicit", "at": [10, 100]}}
    made = client.post(f"{API}/experiments", json={"preset": "digits-ci", "settings": settings}).json()
    assert Problem.model_validate_json(start(client, made).content).errors[0].path == "base.measurement.schedule"


def test_a_sweep_with_adaptive_checkpoints_is_explored_and_chosen_runs_have_them_too(
    client: TestClient, context: Context, worker: FakeWorker
) -> None:
    settings = {"measurement.schedule": {"kind": "adaptive", "count": 4, "checkpoints": 20}}
    made = client.post(f"{API}/experiments", json={"preset": "digits-ci", "settings": settings}).json()
    for _ in range(3):
        claim = worker.claim()
        worker.measure(claim, claim.steps)
        worker.finish(claim, tau_mem=100.0)
    assert start(client, made).status_code == 201
    with context.sessions.begin() as session:
        session.add(Worker(name="w", device="cpu", slots=1, queues=["default"]))
    assert Explorer(context.sessions, context.outbox).explore() == 1
    assert worker.claim().spec["measurement"]["schedule"]["kind"] == "adaptive"


def test_it_is_paused_resumed_and_stopped_and_a_second_one_waits_for_that(client: TestClient, experiment: dict[str, Any]) -> None:
    start(client, experiment)
    address = f"{API}/experiments/{experiment['id']}/exploration"
    assert start(client, experiment).status_code == 409
    states = [client.post(f"{address}/{wish}").json()["state"] for wish in ("pause", "resume", "stop")]
    assert states == ["paused", "running", "finished"]
    refused = client.post(f"{address}/pause")
    assert refused.status_code == 409 and Problem.model_validate_json(refused.content).code == "experiment_not_explorable"
    assert start(client, experiment).status_code == 201
    assert [view.state for view in history(client, experiment)] == ["running", "finished"]


def test_it_pauses_goes_on_and_ends_with_its_experiment(client: TestClient, experiment: dict[str, Any]) -> None:
    start(client, experiment)
    states = []
    for wish in ("pause", "resume", "stop"):
        client.post(f"{API}/experiments/{experiment['id']}/{wish}")
        states.append(history(client, experiment)[0].state.value)
    assert states == ["paused", "running", "finished"]
    assert history(client, experiment)[0].reason == "its experiment was stopped"
    client.post(f"{API}/experiments/{experiment['id']}/resume")
    assert history(client, experiment)[0].state == "finished"


def test_an_unknown_experiment_is_not_explored(client: TestClient) -> None:
    assert client.get(f"{API}/experiments/nosuch/exploration").status_code == 404
    assert start(client, {"id": "nosuch"}).status_code == 404
    assert client.post(f"{API}/experiments/nosuch/exploration/pause").status_code == 404
