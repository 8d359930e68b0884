"""Settings over HTTP: runs beside one another, what was measured again as a setting, and what a sweep has measured again by itself."""

import json
from typing import Any

import numpy as np
import pytest

from backend.services.context import Context
from backend.storage.claims import finish
from backend.storage.flush import write_summary
from backend.storage.offers import Offer
from backend.storage.remeasuring import ask_as_swept, claim_remeasurement, complete_remeasurement
from tauscope.analysis.summary import summarize_points
from tauscope.contracts.interventions import Interventions
from tauscope.contracts.points import Point
from tauscope.contracts.runs import RunState
from tauscope.specs import KINDS
from tests.backend.conftest import API, FakeWorker, TestClient
from tests.phase_runs import Truth, points_of

AGAIN: list[dict[str, Any]] = [
    {"name": "filter", "changes": {"sampler.low_pass": {"cutoff": 3.0}}, "steps": [800]},
    {"name": "projection", "changes": {"sampler.projection": {"reference": 200}}, "steps": [800]},
]
FURTHER = [{"seed": seed, "network.dropout": 0.2} for seed in (1, 2, 3)]


@pytest.fixture
def identifier(client: TestClient) -> str:
    schedule = {"kind": "explicit", "at": [200, 800]}
    settings = {"n_train": 16, "seed": [1, 2, 3], "steps": 800, "measurement.schedule": schedule, "further": FURTHER, "again": AGAIN}
    response = client.post(f"{API}/experiments", json={"preset": "digits-phase", "settings": {"axes": {}, "overrides": {}} | settings})
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


def compared(client: TestClient, identifier: str) -> Interventions:
    return Interventions.model_validate_json(client.get(f"{API}/experiments/{identifier}/interventions").content)


def compute(worker: FakeWorker, count: int) -> None:
    for _ in range(count):
        claim = worker.claim()
        spec = KINDS[claim.spec["kind"]].model_validate(claim.spec)
        slower = 2 if claim.spec["network"]["dropout"] else 1
        truth = Truth(16, tau_mem=200.0 * slower, steps=800, seed=spec.seed)
        points = list(points_of(truth, spec, np.random.default_rng(spec.seed)))
        for step in (200, 800):
            worker.measure(claim, step, checkpoint=True)
        worker.flush(claim, points=points, step=800)
        with worker.sessions.begin() as session:
            write_summary(session, claim.run_id, *summarize_points(spec, points))
            finish(session, claim, RunState.FINISHED)
            ask_as_swept(session, claim.run_id)


def measure_again(context: Context) -> list[tuple[str, int, tuple[int, ...]]]:
    """What workers do with all that waits: here, none of 256 samples is a copy."""
    done: list[tuple[str, int, tuple[int, ...]]] = []
    while True:
        with context.sessions.begin() as session:
            claim = claim_remeasurement(session, "one", 60, Offer())
        if claim is None:
            return done
        points = [Point(step=claim.step, metric=name, value=0.0, low=0.0, high=0.02, count=256) for name in ("f_mem", "f_mem_control")]
        with context.sessions.begin() as session:
            complete_remeasurement(session, claim, points, from_step=claim.step)
        projection = json.dumps(claim.changes["sampler"].get("projection"), sort_keys=True)
        done.append((projection, claim.step, tuple(item.step for item in claim.beside)))


def test_settings_are_compared_as_soon_as_all_have_samples_and_sets_of_the_plain_runs_are_settings_too(
    client: TestClient, worker: FakeWorker, context: Context, identifier: str
) -> None:
    assert compared(client, identifier).missing == "a run has no f_mem yet, so settings cannot be compared"
    compute(worker, 6)
    plain, slower = compared(client, identifier).settings
    assert (plain.seeds, slower.setting) == ((1, 2, 3), "Dropout 0.2")
    assert plain.f_mem.value is not None and slower.f_mem.value is not None and plain.f_mem.value > slower.f_mem.value
    done = measure_again(context)
    assert sorted(done) == [("null", 800, ())] * 3 + [('{"most": 1.0, "reference": 200}', 800, (200,))] * 3
    found = compared(client, identifier)
    assert [row.setting for row in found.settings][2:] == ["filter (at sampling)", "projection (at sampling)"]
    assert all(row.f_mem.value == 0.0 and row.quality == plain.quality for row in found.settings[2:])


def test_a_reference_that_the_run_does_not_keep_is_refused_by_name(client: TestClient, worker: FakeWorker, identifier: str) -> None:
    compute(worker, 1)
    run_id = client.get(f"{API}/experiments/{identifier}").json()["runs"][0]["id"]
    refused = client.post(f"{API}/runs/{run_id}/remeasurements", json={"changes": {"sampler.projection": {"reference": 300}}})
    assert refused.status_code == 422
    assert "no checkpoint of step 300" in refused.text and "Choose one that it has: 200, 800" in refused.text
