"""Finding experiments among many, tags, the archive, and what a deletion would remove."""

from typing import Any

import pytest

from backend.services.context import Context
from backend.storage.tables import Run
from tests.backend.conftest import API, FakeWorker, TestClient


def launched(client: TestClient, name: str, **settings: Any) -> str:
    response = client.post(f"{API}/experiments", json={"preset": "digits-ci", "settings": {"name": name, "overrides": {}, **settings}})
    assert response.status_code == 201, response.text
    identifier: str = response.json()["id"]
    return identifier


def names(client: TestClient, **query: Any) -> list[str]:
    response = client.get(f"{API}/experiments", params=query)
    assert response.status_code == 200, response.text
    return [item["name"] for item in response.json()["items"]]


def finish(context: Context, worker: FakeWorker, experiment: str) -> None:
    with context.sessions.begin() as session:
        for run in session.query(Run).filter(Run.experiment_id == experiment):
            run.state = "finished"


@pytest.fixture
def three(client: TestClient) -> dict[str, str]:
    """Three experiments that differ in name, n, width and learning rate."""
    return {
        "small": launched(client, "small net", n_train=[8, 16], width=8),
        "wide": launched(client, "wide net", n_train=[32, 64], width=32),
        "hot": launched(client, "hot", **{"n_train": [128], "optimizer.lr": 0.01, "batch_size": "full"}),
    }


FOUND = {
    "": ["hot", "wide net", "small net"],
    "NET": ["wide net", "small net"],
    "net wide": ["wide net"],
    "digits": ["hot", "wide net", "small net"],
    "n = 16": ["small net"],
    "n_train=160": [],
    "n>=32": ["hot", "wide net"],
    "net, n > 16": ["wide net"],
    "W = 32": ["wide net"],
    "lr = 1e-2": ["hot"],
    "batch_size = full": ["hot"],
    "batch_size > 32": ["wide net", "small net"],
    "optimizer.name = adam n < 16": ["small net"],
    "no_such_field = 1": [],
    "100%": [],
}


def test_words_and_settings_find_experiments(client: TestClient, three: dict[str, str]) -> None:
    assert {query: names(client, q=query) for query in FOUND} == FOUND


def test_a_list_without_last_values_is_otherwise_the_same(client: TestClient, worker: FakeWorker, experiment: dict[str, Any]) -> None:
    claim = worker.claim()
    worker.measure(claim, 10, f_mem=0.2)
    worker.finish(claim, tau_mem=15.0)
    whole, brief = (client.get(f"{API}/experiments", params={"final": final}).json()["items"][0] for final in (True, False))
    assert any(run["final"] for run in whole["runs"])
    assert not any(run["final"] for run in brief["runs"])
    for item in (whole, brief):
        item.pop("server_time")
        item["runs"] = [{name: value for name, value in run.items() if name != "final"} for run in item["runs"]]
    assert brief == whole


def test_data_set_and_tag_are_filters_and_the_census_counts_them(client: TestClient, three: dict[str, str]) -> None:
    client.put(f"{API}/experiments/{three['wide']}/tags", json={"tags": ["talk", "keep", "talk"]})
    assert names(client, tag="talk") == names(client, q="tal") == ["wide net"]
    assert names(client, data="digits") == ["hot", "wide net", "small net"]
    assert names(client, data="celeba") == []
    census = client.get(f"{API}/experiments/census", params={"q": "net"}).json()
    assert census["counts"] == {"all": 2, "live": 2, "attention": 0, "finished": 0, "archived": 0}
    assert census["tags"] == {"keep": 1, "talk": 1}
    assert census["datasets"] == {"digits": 3}


def test_tags_are_replaced_as_a_whole_sorted_and_without_repeats(client: TestClient, three: dict[str, str]) -> None:
    address = f"{API}/experiments/{three['hot']}/tags"
    assert client.put(address, json={"tags": ["b", "a", "b"]}).json()["tags"] == ["a", "b"]
    assert client.put(address, json={"tags": ["c"]}).json()["tags"] == ["c"]
    assert client.get(f"{API}/experiments/{three['hot']}").json()["tags"] == ["c"]
    assert client.put(address, json={"tags": []}).json()["tags"] == []


def test_a_tag_that_a_list_of_tags_could_not_hold_is_refused(client: TestClient, three: dict[str, str]) -> None:
    for tag in ("", " a", "a,b", "x" * 41, "two\nlines"):
        response = client.put(f"{API}/experiments/{three['hot']}/tags", json={"tags": [tag]})
        assert response.status_code == 422, tag
        assert "tags" in response.json()["errors"][0]["path"]


def test_an_archived_experiment_is_listed_only_when_asked_for_and_comes_back(
    client: TestClient, context: Context, worker: FakeWorker, three: dict[str, str]
) -> None:
    finish(context, worker, three["small"])
    address = f"{API}/experiments/{three['small']}"
    assert client.put(f"{address}/archived", json={"archived": True}).json()["archived"]
    assert names(client) == ["hot", "wide net"]
    assert names(client, archived=True) == ["small net"]
    assert client.get(address).json()["archived"], "its own address still shows it"
    assert client.get(f"{API}/experiments/census").json()["counts"] == {"all": 2, "live": 2, "attention": 0, "finished": 0, "archived": 1}
    client.put(f"{address}/archived", json={"archived": False})
    assert names(client) == ["hot", "wide net", "small net"]


def test_an_experiment_that_is_not_over_is_not_put_away(client: TestClient, three: dict[str, str]) -> None:
    response = client.put(f"{API}/experiments/{three['hot']}/archived", json={"archived": True})
    assert (response.status_code, response.json()["code"]) == (409, "experiment_active")


def test_live_and_attention_follow_the_runs(client: TestClient, context: Context, worker: FakeWorker, three: dict[str, str]) -> None:
    finish(context, worker, three["small"])
    assert names(client, state="live") == ["hot", "wide net"]
    assert names(client, state="finished") == ["small net"]
    claim = worker.claim()
    assert names(client, state="attention") == []
    with context.sessions.begin() as session:
        run = session.get_one(Run, claim.run_id)
        stale = run.experiment_id
        run.updated_at = 1.0
    assert names(client, state="attention") == [client.get(f"{API}/experiments/{stale}").json()["name"]]
    worker.flush(claim)
    assert names(client, state="attention") == []
    with context.sessions.begin() as session:
        for run in session.query(Run).filter(Run.experiment_id == three["small"]):
            run.state = "failed"
    assert names(client, state="attention") == ["small net"]


def test_filters_hold_over_pages(client: TestClient) -> None:
    for index in range(7):
        launched(client, f"{'even' if index % 2 == 0 else 'odd'} {index}")
    first = client.get(f"{API}/experiments", params={"q": "even", "limit": 3}).json()
    second = client.get(f"{API}/experiments", params={"q": "even", "limit": 3, "cursor": first["next_cursor"]}).json()
    assert [item["name"] for item in (*first["items"], *second["items"])] == ["even 6", "even 4", "even 2", "even 0"]
    assert second["next_cursor"] is None
    assert first["total"] == second["total"] == 4


def test_a_preview_counts_what_a_deletion_removes_and_what_others_keep(
    client: TestClient, context: Context, worker: FakeWorker, experiment: dict[str, Any]
) -> None:
    for _ in experiment["runs"]:
        claim = worker.claim()
        worker.store_train(claim)
        worker.store_samples(claim, 10, n=5 + claim.epoch)
        worker.measure(claim, 10, checkpoint=True)
        worker.finish(claim)
    other = launched(client, "other", n_train=[8])
    claim = worker.claim()
    worker.store_train(claim)
    address = f"{API}/experiments/{experiment['id']}"
    preview = client.get(f"{address}/deletion").json()
    assert preview["allowed"]
    assert (preview["runs"], preview["points"], preview["checkpoints"], preview["samples"]) == (3, 9, 3, 3)
    # Three runs share one training set, which the other experiment has too.
    assert preview["shared_files"] == 1
    assert preview["files"] == 2
    assert preview["n_bytes"] > 0
    assert not client.get(f"{API}/experiments/{other}/deletion").json()["allowed"]
    assert client.delete(address).status_code == 204
    assert client.get(f"{address}/deletion").status_code == 404
