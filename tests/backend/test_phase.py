"""The phase diagram over HTTP: the states of stored runs, made anew with every flush, and the same as CSV."""

import csv
import io

import numpy as np

from backend.storage.claims import finish
from backend.storage.flush import write_summary
from tauscope.analysis.summary import summarize_points
from tauscope.contracts.phase import CellState, PhaseDiagram
from tauscope.contracts.runs import RunState
from tauscope.specs import ImageDdpmSpec
from tests.backend.conftest import API, FakeWorker, TestClient
from tests.phase_runs import Truth, points_of


def launch(client: TestClient, **settings: object) -> str:
    response = client.post(
        f"{API}/experiments", json={"preset": "digits-phase", "settings": {"n_train": [8, 64], "steps": 800, **settings}}
    )
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


def compute(worker: FakeWorker, count: int = 1) -> None:
    """Further runs: at W = 16 they copy at 19 steps with 8 images and at 290 with 64, at W = 8 at twice that."""
    for _ in range(count):
        claim = worker.claim()
        spec = ImageDdpmSpec.model_validate(claim.spec)
        n, width = spec.dataset.n_train, spec.network.base_width
        truth = Truth(n, width, tau_mem=1.3 * n**1.3 * 16 / width, steps=spec.steps)
        points = list(points_of(truth, spec, np.random.default_rng(0)))
        worker.flush(claim, points=points, step=spec.steps)
        with worker.sessions.begin() as session:
            write_summary(session, claim.run_id, *summarize_points(spec, points))
            finish(session, claim, RunState.FINISHED)


def phase(client: TestClient, identifier: str) -> PhaseDiagram:
    return PhaseDiagram.model_validate_json(client.get(f"{API}/experiments/{identifier}/phase").content)


def test_cells_follow_the_runs_and_say_what_is_still_under_way(client: TestClient, worker: FakeWorker) -> None:
    identifier = launch(client)
    before = phase(client, identifier)
    assert {cell.state for cell in before.cells} == {CellState.UNDEFINED}
    assert all(cell.under_way == 1 and "nothing was measured yet" in cell.reason for cell in before.cells)
    compute(worker, 4)
    found = phase(client, identifier)
    assert [(cell.n, cell.width, cell.state) for cell in found.cells] == [
        *((8, 8, CellState.MEMORIZES), (64, 8, CellState.WINDOW)),
        *((8, 16, CellState.MEMORIZES), (64, 16, CellState.WINDOW)),
    ]
    assert not any(cell.under_way for cell in found.cells)
    wide = next(item for item in found.boundaries if item.kind == "window" and item.width == 16)
    assert (wide.low, wide.high, wide.parameters) == (8, 64, 176_849)


def test_what_has_not_changed_is_not_sent_again_and_csv_holds_every_cell(client: TestClient, worker: FakeWorker) -> None:
    identifier = launch(client)
    compute(worker, 4)
    first = client.get(f"{API}/experiments/{identifier}/phase")
    assert client.get(f"{API}/experiments/{identifier}/phase", headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    rows = list(csv.DictReader(io.StringIO(client.get(f"{API}/experiments/{identifier}/phase.csv").text)))
    assert [(row["n"], row["parameters"], row["state"]) for row in rows] == [
        (str(cell.n), str(cell.parameters), str(cell.state)) for cell in phase(client, identifier).cells
    ]
    assert all(row["reason"] and row["tau_mem_status"] == "reached" for row in rows)


def test_a_sweep_over_n_alone_says_why_it_is_no_diagram(client: TestClient) -> None:
    assert phase(client, launch(client, width=16)).missing == "the runs have one p, 176,849: a diagram needs several of both"


def test_of_an_unknown_experiment_there_is_no_diagram(client: TestClient) -> None:
    assert client.get(f"{API}/experiments/nothing/phase").status_code == 404
