"""The scores of a run over HTTP: learned at every checkpoint, beside the exact ones, and all of them as CSV."""

import csv
import io
import json
from typing import Any

import numpy as np
import pytest

from backend.services.context import Context
from backend.storage.claims import Claim
from backend.storage.flush import FileRecord
from tauscope.contracts.scores import ScoreCurves
from tests.backend.conftest import API, FakeWorker, TestClient

EXACT = {
    "t": 0.02,
    "alpha_bar": 0.9608,
    "training": [-1.0, 0.5],
    "x": [-1.0, 0.0, 1.0],
    "density": [0.3, 0.1, 0.3],
    "population": [1.0, 0.0, -1.0],
    "empirical": [2.0, 0.5, -4.0],
}
LEARNED = {10: [0.1, 0.0, -0.1], 400: [1.0 / 3, 0.0, -1.0]}


@pytest.fixture
def learning(experiment: dict[str, Any], worker: FakeWorker, context: Context, tmp_path: Any) -> Claim:
    """A run with two checkpoints' scores."""
    claim = worker.claim()
    file = tmp_path / "dataset.json"
    file.write_text(json.dumps({"remarks": [], "scores": EXACT}))
    sha256, n_bytes = context.artifacts.put(file)
    worker.flush(claim, files=[FileRecord("dataset.json", sha256, n_bytes, "dataset", None)])
    for step in (400, 10):
        worker.store(claim, f"predictions/{step}.npz", "predictions", step, predictions=np.array(LEARNED[step], np.float32)[:, None])
    return claim


def asked(client: TestClient, run_id: str) -> ScoreCurves:
    response = client.get(f"{API}/runs/{run_id}/scores")
    assert response.status_code == 200, response.text
    return ScoreCurves.model_validate(response.json())


def test_every_checkpoint_has_its_learned_score_on_the_grid_of_the_exact_ones(client: TestClient, learning: Claim) -> None:
    found = asked(client, learning.run_id)
    assert found.exact is not None and found.exact.model_dump(mode="json") == EXACT
    assert found.steps == (10, 400)
    assert found.learned == ((0.1, 0.0, -0.1), (0.333333, 0.0, -1.0))


def test_what_is_held_is_not_sent_again_until_there_is_more(client: TestClient, learning: Claim, worker: FakeWorker) -> None:
    address = f"{API}/runs/{learning.run_id}/scores"
    tag = client.get(address).headers["ETag"]
    assert client.get(address, headers={"If-None-Match": tag}).status_code == 304
    worker.store(learning, "predictions/900.npz", "predictions", 900, predictions=np.zeros(3, np.float32))
    assert client.get(address, headers={"If-None-Match": tag}).json()["steps"] == [10, 400, 900]


def test_a_run_that_has_not_begun_or_is_of_another_kind_has_none(
    client: TestClient, experiment: dict[str, Any], worker: FakeWorker
) -> None:
    claim = worker.claim()
    assert asked(client, claim.run_id) == ScoreCurves(run_id=claim.run_id, exact=None)
    assert client.get(f"{API}/runs/unknown/scores").json()["code"] == "run_not_found"


def test_the_csv_has_a_row_for_every_x_of_every_checkpoint(client: TestClient, experiment: dict[str, Any], learning: Claim) -> None:
    response = client.get(f"{API}/experiments/{experiment['id']}/scores.csv")
    rows = list(csv.DictReader(io.StringIO(response.text)))
    assert len(rows) == 6
    assert {row["run"] for row in rows} == {learning.run_id}
    last = rows[-1]
    assert (last["tau"], last["x"], last["learned"], last["population"], last["empirical"]) == ("400", "1", "-1", "-1", "-4")
    assert int(last["n"]) > 0
    again = client.get(f"{API}/experiments/{experiment['id']}/scores.csv", headers={"If-None-Match": response.headers["ETag"]})
    assert again.status_code == 304
    assert client.get(f"{API}/experiments/unknown/scores.csv").status_code == 404
