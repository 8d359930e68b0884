"""Measuring again over HTTP: asked for once, told apart from the run's own curve, refused by name."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, update

from backend.services.context import Context
from backend.storage.claims import Claim
from backend.storage.offers import Offer
from backend.storage.refining import note_gap
from backend.storage.remeasuring import claim_remeasurement, complete_remeasurement
from backend.storage.tables import Evaluation, RemeasuredStep, RunFile
from tauscope.contracts.onsets import OnsetStatus
from tauscope.contracts.points import Point
from tauscope.contracts.problems import Problem
from tauscope.contracts.remeasuring import Gaps, RemeasurementView
from tauscope.results.remeasured import read_remeasured
from tauscope.specs import KINDS
from tests.backend.conftest import API, FakeWorker, TestClient

MORE = {"changes": {"n_generated": 4096, "sampler.steps": 50}}


@pytest.fixture
def run_id(client: TestClient, experiment: dict[str, Any], worker: FakeWorker) -> str:
    """A finished run that was measured at 10, 20 and 40."""
    claim: Claim = worker.claim()
    for step in (10, 20, 40):
        worker.store_samples(claim, step)
        worker.measure(claim, step, checkpoint=True)
    worker.finish(claim)
    return claim.run_id


def ask(client: TestClient, run_id: str, body: dict[str, Any], status: int) -> RemeasurementView:
    answer = client.post(f"{API}/runs/{run_id}/remeasurements", json=body)
    assert answer.status_code == status, answer.text
    return RemeasurementView.model_validate_json(answer.content)


def refused(client: TestClient, address: str, body: dict[str, Any]) -> Problem:
    answer = client.post(f"{API}{address}", json=body)
    assert 400 <= answer.status_code < 500, answer.text
    return Problem.model_validate_json(answer.content)


def measure(context: Context, *, value: float = 0.5, offer: Offer | None = None) -> int:
    """What a worker does with the first step that waits."""
    with context.sessions.begin() as session:
        claim = claim_remeasurement(session, "one", 60, offer or Offer())
    assert claim is not None
    points = [Point(step=claim.step, metric="f_mem", value=value, low=value - 0.1, high=value + 0.1, count=4096)]
    with context.sessions.begin() as session:
        complete_remeasurement(session, claim, points, from_step=claim.checkpoints[0].step)
    return claim.step


def test_every_kept_checkpoint_is_asked_for_once_and_the_set_has_its_label(client: TestClient, context: Context, run_id: str) -> None:
    first = ask(client, run_id, MORE, 201)
    assert first.name == "n_generated 4,096, sampler.steps 50"
    assert [(item.step, item.state, item.from_step) for item in first.steps] == [(step, "waiting", step) for step in (10, 20, 40)]
    assert ask(client, run_id, MORE, 200).id == first.id
    assert [measure(context, value=value) for value in (0.05, 0.2, 0.8)] == [10, 20, 40]
    done = ask(client, run_id, MORE, 200)
    assert {item.state for item in done.steps} == {"measured"} and {item.note for item in done.steps} == {""}
    assert done.series["f_mem"].value == (0.05, 0.2, 0.8) and done.series["f_mem"].count == (4096,) * 3
    assert done.onsets["tau_mem"].status is OnsetStatus.REACHED or done.onsets["tau_mem"].reason
    listed = client.get(f"{API}/runs/{run_id}/remeasurements").json()
    assert [item["id"] for item in listed] == [first.id]


def test_the_runs_own_curve_its_onsets_and_its_samples_stay_as_they_are(
    client: TestClient, context: Context, experiment: dict[str, Any], run_id: str
) -> None:
    before = (client.get(f"{API}/experiments/{experiment['id']}/curves").json()["runs"], client.get(f"{API}/runs/{run_id}").json())
    ask(client, run_id, MORE, 201)
    measure(context, value=0.99)
    after = (client.get(f"{API}/experiments/{experiment['id']}/curves").json()["runs"], client.get(f"{API}/runs/{run_id}").json())
    assert after[0] == before[0]
    assert {key for key in after[1] if after[1][key] != before[1][key]} == {"seq"}, "open pages hear of it"


def test_an_export_holds_every_set_and_how_each_point_was_measured(
    client: TestClient, context: Context, experiment: dict[str, Any], run_id: str, tmp_path: Path
) -> None:
    address = f"{API}/experiments/{experiment['id']}/export"
    assert "remeasured.parquet" not in zipfile.ZipFile(io.BytesIO(client.get(address).content)).namelist()
    ask(client, run_id, MORE | {"name": "a talk"}, 201)
    measure(context, value=0.25)
    zipfile.ZipFile(io.BytesIO(client.get(address).content)).extract("remeasured.parquet", tmp_path)
    (row,) = read_remeasured(tmp_path)
    assert (row.set, row.from_step, row.code_version) == ("a talk", 10, Offer().code_version)
    assert json.loads(row.changes)["n_generated"] == 4096 and row.run.startswith("0")
    assert (row.point.metric, row.point.value, row.point.count) == ("f_mem", 0.25, 4096)


def test_a_pruned_checkpoint_is_said_to_be_trained_again(client: TestClient, context: Context, run_id: str) -> None:
    with context.sessions.begin() as session:
        session.execute(delete(RunFile).where(RunFile.step == 20, RunFile.kind.in_(["weights", "state"])))
    assert [item.step for item in ask(client, run_id, MORE, 201).steps] == [10, 40], "those that are kept"
    step = next(item for item in ask(client, run_id, MORE | {"steps": [20]}, 201).steps if item.step == 20)
    assert step.from_step == 10 and step.note.startswith("its own checkpoint is gone: trained again from the checkpoint at 10, which only")


def test_what_another_version_measured_and_what_failed_says_so(client: TestClient, context: Context, run_id: str) -> None:
    ask(client, run_id, MORE | {"steps": [10, 20]}, 201)
    measure(context, offer=Offer(code_version="newer"))
    with context.sessions.begin() as session:
        session.execute(update(RemeasuredStep).where(RemeasuredStep.step == 20).values(stalls=5, reason="no space left"))
    found = client.get(f"{API}/runs/{run_id}/remeasurements").json()[0]["steps"]
    assert [item["state"] for item in found] == ["measured", "failed"]
    assert found[0]["note"].startswith("measured by code newer from a checkpoint of ") and found[1]["note"] == "no space left"
    again = ask(client, run_id, MORE | {"steps": [10, 20]}, 201)
    assert [item.state for item in again.steps] == ["measured", "waiting"]


def test_a_deleted_set_is_gone_and_deleting_it_again_is_refused(client: TestClient, run_id: str) -> None:
    address = f"{API}/runs/{run_id}/remeasurements"
    made = ask(client, run_id, MORE, 201)
    assert client.delete(f"{address}/{made.id}").status_code == 204
    assert client.get(address).json() == []
    assert Problem.model_validate_json(client.delete(f"{address}/{made.id}").content).code == "remeasurement_not_found"


def test_what_cannot_be_measured_again_is_refused_by_name(client: TestClient, experiment: dict[str, Any], run_id: str) -> None:
    address = f"/runs/{run_id}/remeasurements"
    assert [item.path for item in refused(client, address, {"changes": {"n_generated": 5}}).errors] == ["n_generated"]
    assert [item.path for item in refused(client, address, {"changes": {"schedule.count": 5}}).errors] == ["schedule.count"]
    assert "has not come to step 50: its last checkpoint is at step 40" in refused(client, address, {"steps": [50]}).detail
    waiting = next(run["id"] for run in experiment["runs"] if run["id"] != run_id)
    assert "has no checkpoint" in refused(client, f"/runs/{waiting}/remeasurements", {}).detail


def test_only_gaps_are_drawn_again(client: TestClient, context: Context, worker: FakeWorker, experiment: dict[str, Any]) -> None:
    claim = worker.claim()
    spec = KINDS[claim.spec["kind"]].model_validate(claim.spec)
    first, gap, third = spec.measurement.schedule.steps(spec.steps)[:3]
    for step in (first, gap, third):
        worker.flush(claim, points=[Point(step=step, metric="loss_train@100", value=1.0, low=0.9, high=1.1, count=64)])
        if step != gap:
            worker.measure(claim, step, checkpoint=True)
    address = f"/runs/{claim.run_id}/evaluations"
    assert client.get(f"{API}{address}/gaps").json()["steps"] == [gap]
    answer = client.post(f"{API}{address}", json={})
    assert answer.status_code == 200, answer.text
    assert Gaps.model_validate_json(answer.content).steps == (gap,)
    with context.sessions() as session:
        assert session.get(Evaluation, (claim.run_id, gap)) is not None
    assert "is no gap in the curves" in str(refused(client, address, {"steps": [gap]}).errors), "it waits already"
    assert Gaps.model_validate_json(client.post(f"{API}{address}", json={}).content).steps == ()


def test_a_gap_at_a_further_step_of_an_adaptive_schedule_is_drawn_again_and_samples_that_diverged_are_not(
    client: TestClient, context: Context, worker: FakeWorker
) -> None:
    settings = {"measurement.schedule": {"kind": "adaptive", "count": 4, "checkpoints": 20}}
    client.post(f"{API}/experiments", json={"preset": "digits-ci", "settings": settings})
    claim = worker.claim()
    spec = KINDS[claim.spec["kind"]].model_validate(claim.spec)
    further = spec.measurement.schedule.further(spec.steps)
    gap, diverged = sorted(further)[-2:]
    for step in (*spec.measurement.schedule.steps(spec.steps), *further):
        worker.flush(claim, points=[Point(step=step, metric="loss_train@100", value=1.0, low=0.9, high=1.1, count=64)])
        if step not in further:
            worker.measure(claim, step, checkpoint=True)
    worker.flush(claim, points=[Point(step=diverged, metric="f_mem", value=None, count=256, reason="diverged")])
    address = f"{API}/runs/{claim.run_id}/evaluations"
    assert client.get(f"{address}/gaps").json()["steps"] == []
    with context.sessions.begin() as session:
        note_gap(session, claim.run_id, gap, "the samples could not be drawn in 5 attempts", 99)
    assert client.get(f"{address}/gaps").json()["steps"] == [gap]
    assert client.post(address, json={}).json()["steps"] == [gap]
    with context.sessions.begin() as session:
        assert session.get(Evaluation, (claim.run_id, gap)) is not None
    assert client.get(f"{address}/gaps").json()["steps"] == [], "it waits already"
    worker.flush(claim, points=[Point(step=gap, metric="f_mem", value=0.5, low=0.4, high=0.6, count=256)])
    with context.sessions.begin() as session:
        session.execute(delete(Evaluation))
    assert client.get(f"{address}/gaps").json()["steps"] == []
