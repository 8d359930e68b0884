"""Two experiments compared over HTTP, and the markers that a run brings."""

from typing import Any

import pytest

from backend.storage.flush import write_summary
from tauscope.contracts.onsets import Onset, OnsetStatus
from tests.backend.conftest import API, FakeWorker, TestClient


def finished(client: TestClient, worker: FakeWorker, exponent: float, sizes: list[int]) -> str:
    """A sweep with three seeds whose tau_mem follows a law, a little scattered."""
    body = {"preset": "digits-ci", "settings": {"n_train": sizes, "seed": [1, 2, 3], "steps": 50}}
    launched = client.post(f"{API}/experiments", json=body).json()
    params = {run["id"]: run["params"] for run in launched["runs"]}
    for _ in params:
        claim = worker.claim()
        n, seed = (params[claim.run_id][name] for name in ("n_train", "seed"))
        worker.finish(claim, 3 * n**exponent * (1 + 0.02 * ((n + seed) % 3)))
    return str(launched["id"])


def test_two_experiments_are_compared_by_exponent(client: TestClient, worker: FakeWorker) -> None:
    one, two = (finished(client, worker, exponent, [8, 16, 32]) for exponent in (1.0, 1.5))
    answer = client.get(f"{API}/experiments/{one}/law/compare", params={"with": two})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    assert one in found["first"] and two in found["second"]
    mem = found["exponents"]["tau_mem_vs_n"]
    assert mem["difference"] == pytest.approx(0.5, abs=0.05)
    assert mem["low"] < mem["difference"] < mem["high"]
    assert mem["p_value"] < 0.001
    assert mem["first"]["exponent"] == pytest.approx(1, abs=0.05)
    assert "no exponent in the first sweep" in found["exponents"]["tau_gen_vs_n"]["note"]


@pytest.mark.parametrize(
    ("other", "status", "code"),
    [("{id}", 422, "invalid_request"), ("nowhere", 404, "experiment_not_found"), ("a/b", 422, "invalid_request")],
)
def test_a_comparison_with_nothing_else_is_refused(
    client: TestClient, experiment: dict[str, Any], other: str, status: int, code: str
) -> None:
    answer = client.get(f"{API}/experiments/{experiment['id']}/law/compare", params={"with": other.format(id=experiment["id"])})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["remedy"]


def test_markers_stand_beside_the_onsets_of_a_run(client: TestClient, experiment: dict[str, Any], worker: FakeWorker) -> None:
    claim = worker.claim()
    marker = Onset(value=90, low=60, high=130, status=OnsetStatus.REACHED, metric="loss_held_out@100", level=0.5)
    with worker.sessions.begin() as session:
        write_summary(session, claim.run_id, {}, {}, {"tau_test": marker})
    run = client.get(f"{API}/runs/{claim.run_id}").json()
    assert (run["onsets"], run["markers"]) == ({}, {"tau_test": marker.model_dump(mode="json")})
    summary = client.get(f"{API}/experiments/{experiment['id']}/summary").json()
    assert [item["markers"] for item in summary["runs"] if item["id"] == claim.run_id] == [run["markers"]]
    assert all(item["markers"] == {} for item in summary["runs"] if item["id"] != claim.run_id)
