"""Launching, finding, stopping and deleting experiments over HTTP."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import func, select

from backend.services.context import Context
from backend.storage.tables import Artifact, Experiment, IdempotencyKey, Run, RunEvent, RunFile, Series
from tauscope.contracts.experiments import ExperimentView, Plan
from tauscope.contracts.problems import Problem
from tests.backend.conftest import API, FakeWorker, TestClient

CREATE = {"preset": "digits-ci", "settings": {"steps": 20}}


def rows(context: Context, table: Any) -> int:
    with context.sessions() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_a_preset_becomes_an_experiment_with_one_queued_run_per_axis_value(client: TestClient) -> None:
    response = client.post(f"{API}/experiments", json={"preset": "digits-ci"})
    assert response.status_code == 201
    view = ExperimentView.model_validate_json(response.content)
    assert response.headers["location"] == f"{API}/experiments/{view.id}"
    assert [run.n_train for run in view.runs] == [8, 16, 32]
    assert {run.width for run in view.runs} == {16}
    assert {run.state.value for run in view.runs} == {"queued"} == {view.state.value}
    assert abs(view.server_time - view.created_at) < 60


def test_a_broker_that_is_away_neither_fails_a_launch_nor_marks_it_as_sent(client: TestClient, context: Context) -> None:
    assert client.post(f"{API}/experiments", json=CREATE).status_code == 201
    with context.sessions() as session:
        assert set(session.scalars(select(Run.enqueued_at))) == {0.0}


def test_wakeups_go_out_after_the_commit_with_the_longest_run_first(
    client: TestClient, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, list[str]]] = []

    def remember(runs: list[tuple[str, str]], work: str) -> list[str]:
        assert work == "train"
        run_ids = [run_id for run_id, _ in runs]
        seen.append((rows(context, Run), run_ids))
        return run_ids

    monkeypatch.setattr(context.outbox, "wake", remember)
    view = client.post(f"{API}/experiments", json={"preset": "digits-ci"}).json()
    assert seen == [(3, [run["id"] for run in reversed(view["runs"])])]
    with context.sessions() as session:
        assert min(session.scalars(select(Run.enqueued_at))) > 0


def test_a_plan_resolves_every_run_and_creates_nothing(client: TestClient, context: Context) -> None:
    response = client.post(f"{API}/specs/plan", json={"preset": "digits-demo", "settings": {"n_train": [16, 32]}})
    plan = Plan.model_validate_json(response.content)
    assert [run.params["n_train"] for run in plan.runs] == [16, 32]
    assert all(run.cost > 0 and not run.requirements for run in plan.runs)
    assert rows(context, Experiment) == 0


def test_a_plan_says_what_is_missing_on_this_machine(client: TestClient) -> None:
    plan = Plan.model_validate(client.post(f"{API}/specs/plan", json={"preset": "celeba-paper", "settings": {"device": "cuda"}}).json())
    assert "CelebA" in plan.runs[0].requirements[0]
    assert "cuda" in plan.runs[0].requirements[1]


def test_the_same_key_and_body_return_the_same_experiment(client: TestClient, context: Context) -> None:
    answers = [client.post(f"{API}/experiments", json=CREATE, headers={"Idempotency-Key": "k1"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json()["id"] == answers[1].json()["id"]
    assert [answer.headers["idempotency-replayed"] for answer in answers] == ["false", "true"]
    assert rows(context, Experiment) == 1


def test_the_same_key_with_another_body_is_refused(client: TestClient) -> None:
    client.post(f"{API}/experiments", json=CREATE, headers={"Idempotency-Key": "k1"})
    response = client.post(f"{API}/experiments", json={"preset": "digits-demo"}, headers={"Idempotency-Key": "k1"})
    assert (response.status_code, response.json()["code"]) == (409, "idempotency_conflict")


def test_concurrent_posts_with_one_key_create_one_experiment(client: TestClient, context: Context) -> None:
    def post(_: int) -> str:
        response = client.post(f"{API}/experiments", json=CREATE, headers={"Idempotency-Key": "same"})
        assert response.status_code == 201, response.text
        return str(response.json()["id"])

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(post, range(6)))) == 1
    assert rows(context, Experiment) == rows(context, IdempotencyKey) == 1


def test_pages_list_the_newest_first_and_each_experiment_once(client: TestClient) -> None:
    created = [client.post(f"{API}/experiments", json=CREATE).json()["id"] for _ in range(5)]
    listed, cursor = [], None
    while True:
        page = client.get(f"{API}/experiments", params={"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        listed += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(listed) == 5
    assert set(listed) == set(created)
    assert listed == sorted(listed, reverse=True)


def test_an_experiments_state_follows_its_runs_and_filters_the_list(
    client: TestClient, experiment: dict[str, Any], worker: FakeWorker
) -> None:
    def listed(state: str) -> bool:
        return bool(client.get(f"{API}/experiments", params={"state": state}).json()["items"])

    assert listed("queued")
    claim = worker.claim()
    assert listed("running")
    worker.release(claim)
    assert listed("running"), "between two segments it is still running"
    for tau in (800.0, 300.0, 90.0):
        worker.finish(worker.claim(), tau)
    assert listed("finished")
    assert not listed("running")
    view = client.get(f"{API}/experiments/{experiment['id']}").json()
    assert view["fits"]["tau_mem_vs_n"]["points"] == 3
    summary = client.get(f"{API}/experiments/{experiment['id']}/summary").json()
    assert summary["fits"] == view["fits"]
    assert summary["runs"][0]["onsets"]["tau_mem"]["value"] == 90.0


def test_stopping_ends_waiting_runs_at_once_and_asks_the_others(client: TestClient, experiment: dict[str, Any], worker: FakeWorker) -> None:
    claim = worker.claim()
    view = client.post(f"{API}/experiments/{experiment['id']}/stop").json()
    assert [run["state"] for run in view["runs"]] == ["stopped", "stopped", "running"]
    assert {run["desired"] for run in view["runs"]} == {"stop"}
    assert worker.measure(claim, 10).desired == "stop"
    names = [event["name"] for event in client.get(f"{API}/runs/{view['runs'][0]['id']}/events").json()]
    assert names == ["created", "stop_requested", "stopped"]


def test_pausing_and_resuming_an_experiment_and_one_of_its_runs(client: TestClient, experiment: dict[str, Any], worker: FakeWorker) -> None:
    claim = worker.claim()
    address = f"{API}/experiments/{experiment['id']}"
    view = client.post(f"{address}/pause").json()
    assert ([run["state"] for run in view["runs"]], view["state"]) == (["paused", "paused", "running"], "running")
    assert worker.measure(claim, 10, checkpoint=True).desired == "pause"
    worker.release(claim)
    assert client.get(address).json()["state"] == "paused"
    assert [item["id"] for item in client.get(f"{API}/experiments", params={"state": "paused"}).json()["items"]] == [experiment["id"]]
    assert client.delete(address).status_code == 409
    one = f"{API}/runs/{claim.run_id}"
    assert client.post(f"{one}/resume").json()["state"] == "queued"
    assert client.post(f"{one}/pause").json()["state"] == "paused"
    view = client.post(f"{address}/resume").json()
    assert ({run["state"] for run in view["runs"]}, {run["desired"] for run in view["runs"]}) == ({"queued"}, {"run"})
    assert view["state"] == "running"


def test_a_priority_is_given_at_the_launch_and_changed_later(client: TestClient, worker: FakeWorker) -> None:
    client.post(f"{API}/experiments", json=CREATE)
    second = client.post(f"{API}/experiments", json=CREATE | {"priority": 7}).json()
    assert {run["priority"] for run in second["runs"]} == {7}
    assert worker.claim().run_id in {run["id"] for run in second["runs"]}
    changed = client.put(f"{API}/experiments/{second['id']}/priority", json={"priority": -3}).json()
    assert {run["priority"] for run in changed["runs"]} == {-3}
    one = second["runs"][0]["id"]
    assert client.put(f"{API}/runs/{one}/priority", json={"priority": 2}).json()["priority"] == 2
    assert client.put(f"{API}/runs/{one}/priority", json={"priority": 10_000}).status_code == 422


def test_attempts_tell_who_computed_what_and_what_was_computed_again(
    client: TestClient, experiment: dict[str, Any], worker: FakeWorker
) -> None:
    first = worker.claim()
    worker.measure(first, 10, checkpoint=True)
    worker.measure(first, 17)
    client.post(f"{API}/experiments/{experiment['id']}/pause")
    worker.release(first)
    client.post(f"{API}/runs/{first.run_id}/resume")
    worker.claim()
    one, two = client.get(f"{API}/runs/{first.run_id}/attempts").json()
    assert (one["from_step"], one["to_step"], one["rewound"], one["outcome"]) == (0, 17, 0, "segment ended")
    assert (two["from_step"], two["rewound"], two["outcome"], two["ended_at"]) == (10, 7, "", None)
    assert one["code_version"] == two["code_version"] == two["resumed_version"]
    assert client.get(f"{API}/runs/0000000000000000/attempts").status_code == 404


def test_a_finished_run_is_extended_and_others_are_refused_with_the_reason(
    client: TestClient, experiment: dict[str, Any], worker: FakeWorker
) -> None:
    claim = worker.claim()
    address = f"{API}/runs/{claim.run_id}"
    refusal = client.post(f"{address}/extend", json={"steps": 10**6})
    assert (refusal.status_code, refusal.json()["code"]) == (409, "run_not_extendable")
    worker.measure(claim, claim.steps, checkpoint=True)
    worker.finish(claim)
    assert client.post(f"{address}/extend", json={"steps": claim.steps}).status_code == 409
    assert client.post(f"{address}/extend", json={"steps": 0}).status_code == 422
    view = client.post(f"{address}/extend", json={"steps": 2 * claim.steps}).json()
    assert (view["state"], view["desired"], view["step"], view["steps"]) == ("queued", "run", claim.steps, 2 * claim.steps)
    assert client.get(f"{API}/experiments/{experiment['id']}").json()["state"] == "running"


def test_one_run_can_be_stopped_alone(client: TestClient, experiment: dict[str, Any]) -> None:
    run_id = experiment["runs"][1]["id"]
    assert client.post(f"{API}/runs/{run_id}/stop").json()["state"] == "stopped"
    states = [run["state"] for run in client.get(f"{API}/experiments/{experiment['id']}").json()["runs"]]
    assert states == ["queued", "stopped", "queued"]


def test_stopping_twice_changes_nothing_more(client: TestClient, experiment: dict[str, Any]) -> None:
    first = client.post(f"{API}/experiments/{experiment['id']}/stop").json()
    second = client.post(f"{API}/experiments/{experiment['id']}/stop").json()
    assert first["runs"] == second["runs"]


def test_an_active_experiment_is_not_deleted(client: TestClient, experiment: dict[str, Any], worker: FakeWorker) -> None:
    worker.claim()
    client.post(f"{API}/experiments/{experiment['id']}/stop")
    response = client.delete(f"{API}/experiments/{experiment['id']}")
    assert (response.status_code, Problem.model_validate_json(response.content).code) == (409, "experiment_active")


def test_deleting_removes_rows_and_only_the_files_nobody_else_refers_to(client: TestClient, context: Context, worker: FakeWorker) -> None:
    ids = [client.post(f"{API}/experiments", json=CREATE).json()["id"] for _ in range(2)]
    claims = [worker.claim() for _ in range(6)]
    owner = {run["id"]: identity for identity in ids for run in client.get(f"{API}/experiments/{identity}").json()["runs"]}
    doomed = next(claim for claim in claims if owner[claim.run_id] == ids[0])
    kept = next(claim for claim in claims if owner[claim.run_id] == ids[1])
    worker.measure(doomed, 10)
    shared, own = worker.store_train(doomed), worker.store_samples(doomed, 10)
    worker.store_train(kept)
    for claim in claims:
        worker.finish(claim)
    assert client.delete(f"{API}/experiments/{ids[0]}").status_code == 204
    assert client.get(f"{API}/experiments/{ids[0]}").status_code == 404
    assert context.artifacts.exists(shared.sha256)
    assert not context.artifacts.exists(own.sha256)
    assert (rows(context, Artifact), rows(context, RunFile), rows(context, Series), rows(context, Run)) == (1, 1, 0, 3)
    with context.sessions() as session:
        assert not session.scalars(select(RunEvent).where(RunEvent.run_id == doomed.run_id)).all()
