"""Checkpoints over HTTP: which are kept and why, pinning, pruning, and what that frees."""

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from backend.services.context import Context
from backend.storage.claims import Claim
from backend.storage.forecasts import set_forecast
from backend.storage.tables import Evaluation, Run, RunFile
from tauscope.contracts.forecasts import Forecast
from tauscope.contracts.onsets import Onset, OnsetStatus
from tauscope.contracts.points import Point
from tauscope.contracts.problems import Problem
from tauscope.contracts.retention import GarbageReport, PruneReport, RunCheckpoints
from tests.backend.conftest import API, FakeWorker, TestClient
from tests.worker.test_artifacts import make_old

STEPS = (10, 20, 30, 40, 50, 60)
LOSS = "loss_held_out@100"


def onset(metric: str, low: float, high: float) -> dict[str, Any]:
    return {"value": (low + high) / 2, "low": low, "high": high, "status": OnsetStatus.REACHED, "metric": metric, "level": 0.5}


NOT_BY_60 = Onset(value=None, low=60, high=None, status=OnsetStatus.CENSORED, metric="f_mem", level=0.5, reason="not by 60")
ONSETS = {"tau_gen": Onset(**onset(LOSS, 10, 20)), "tau_mem": Onset(**onset("f_mem", 40, 50))}


def set_onsets(sessions: sessionmaker[Session], claim: Claim, onsets: dict[str, Onset]) -> None:
    with sessions.begin() as session:
        session.get_one(Run, claim.run_id).onsets = {name: found.model_dump(mode="json") for name, found in onsets.items()}


def train(worker: FakeWorker, *, over: bool = True) -> Claim:
    """A run with six measured checkpoints: tau_gen lies between 10 and 20, tau_mem between 40 and 50, the best at 30."""
    claim = worker.claim()
    for step in STEPS:
        worker.store_samples(claim, step)
        loss = abs(step - 30) / 100
        for kind in ("weights", "state"):
            worker.store(claim, f"checkpoints/{step}.{kind}", kind, step, x=[step], of=[kind])
        points = [Point(step=step, metric=LOSS, value=loss, low=loss, high=loss, count=32)]
        points += [Point(step=step, metric="f_mem", value=0.0, low=0.0, high=0.1, count=32)]
        worker.flush(claim, points=points, step=step, checkpoint=step)
    set_onsets(worker.sessions, claim, ONSETS)
    if over:
        worker.finish(claim)
    return claim


def steps_of(context: Context, claim: Claim, kind: str) -> list[int]:
    with context.sessions() as session:
        steps = session.scalars(select(RunFile.step).where(RunFile.run_id == claim.run_id, RunFile.kind == kind))
        return sorted(step for step in steps if step is not None)


def post(client: TestClient, path: str, **body: Any) -> PruneReport:
    response = client.post(f"{API}{path}", json=body)
    assert response.status_code == 200, response.text
    return PruneReport.model_validate_json(response.content)


def test_a_dry_run_is_the_default_and_removes_nothing(
    client: TestClient, context: Context, worker: FakeWorker, experiment: dict[str, Any]
) -> None:
    claim = train(worker)
    (run,) = post(client, f"/runs/{claim.run_id}/prune").runs
    assert {kept.step: kept.reasons for kept in run.kept} == {
        10: ("around tau_gen",),
        20: ("around tau_gen",),
        30: ("recommended",),
        40: ("around tau_mem",),
        50: ("resume", "around tau_mem"),
        60: ("resume",),
    }
    assert (run.dropped, run.bytes_freed) == ((), 0)
    assert steps_of(context, claim, "weights") == list(STEPS)


def test_pruning_drops_weights_and_state_alone_and_frees_what_it_said(
    client: TestClient, context: Context, worker: FakeWorker, experiment: dict[str, Any]
) -> None:
    claim = train(worker)
    worker_onsets = ONSETS | {"tau_gen": Onset(**onset(LOSS, 20, 30))}
    set_onsets(context.sessions, claim, worker_onsets)
    said = post(client, f"/experiments/{experiment['id']}/prune")
    before = sum(file.n_bytes for file in context.artifacts.files())
    points = client.get(f"{API}/experiments/{experiment['id']}/curves").json()["runs"]
    done = post(client, f"/experiments/{experiment['id']}/prune", dry_run=False)
    assert done.runs == said.runs and done.bytes_freed == said.bytes_freed > 0
    assert [run.dropped for run in done.runs if run.run_id == claim.run_id] == [(10,)]
    assert before - sum(file.n_bytes for file in context.artifacts.files()) == done.bytes_freed
    assert steps_of(context, claim, "weights") == steps_of(context, claim, "state") == [20, 30, 40, 50, 60]
    assert steps_of(context, claim, "samples") == list(STEPS)
    assert client.get(f"{API}/experiments/{experiment['id']}/curves").json()["runs"] == points
    assert post(client, f"/experiments/{experiment['id']}/prune", dry_run=False).bytes_freed == 0
    events = [event["name"] for event in client.get(f"{API}/runs/{claim.run_id}/events").json()]
    assert events.count("pruned") == 1


def test_bytes_that_another_run_refers_to_are_neither_counted_nor_removed(
    client: TestClient, context: Context, worker: FakeWorker, experiment: dict[str, Any]
) -> None:
    one, two = train(worker), train(worker)
    set_onsets(context.sessions, one, ONSETS | {"tau_gen": Onset(**onset(LOSS, 20, 30))})
    assert post(client, f"/runs/{one.run_id}/prune").bytes_freed == 0
    set_onsets(context.sessions, two, ONSETS | {"tau_gen": Onset(**onset(LOSS, 20, 30))})
    both = post(client, f"/experiments/{experiment['id']}/prune")
    assert both.bytes_freed > 0
    post(client, f"/runs/{one.run_id}/prune", dry_run=False)
    with context.sessions() as session:
        for file in session.scalars(select(RunFile).where(RunFile.run_id == two.run_id)):
            assert context.artifacts.exists(file.sha256)
    assert post(client, f"/runs/{two.run_id}/prune", dry_run=False).bytes_freed == both.bytes_freed


def test_a_pinned_checkpoint_stays_until_it_is_let_go(
    client: TestClient, context: Context, worker: FakeWorker, experiment: dict[str, Any]
) -> None:
    claim = train(worker)
    set_onsets(context.sessions, claim, {})
    for _ in range(2):
        found = RunCheckpoints.model_validate_json(client.put(f"{API}/runs/{claim.run_id}/checkpoints/20/pin").content)
    assert [(item.step, item.kept) for item in found.checkpoints if item.pinned] == [(20, ("pinned",))]
    assert all(item.n_bytes > 0 for item in found.checkpoints)
    assert found.recommendation.step is None
    post(client, f"/runs/{claim.run_id}/prune", dry_run=False)
    assert steps_of(context, claim, "weights") == [20, 50, 60]
    client.delete(f"{API}/runs/{claim.run_id}/checkpoints/20/pin")
    post(client, f"/runs/{claim.run_id}/prune", dry_run=False)
    assert steps_of(context, claim, "weights") == [50, 60]
    events = [event["name"] for event in client.get(f"{API}/runs/{claim.run_id}/events").json()]
    assert events[-4:] == ["pinned", "pruned", "unpinned", "pruned"]


def test_a_checkpoint_that_is_not_there_cannot_be_pinned(client: TestClient, worker: FakeWorker, experiment: dict[str, Any]) -> None:
    claim = train(worker)
    response = client.put(f"{API}/runs/{claim.run_id}/checkpoints/11/pin")
    problem = Problem.model_validate_json(response.content)
    assert (response.status_code, problem.code) == (404, "checkpoint_not_found")
    assert "10, 20" in problem.remedy


def test_a_checkpoint_that_awaits_its_evaluation_stays(
    client: TestClient, context: Context, worker: FakeWorker, experiment: dict[str, Any]
) -> None:
    claim = train(worker)
    set_onsets(context.sessions, claim, {})
    with context.sessions.begin() as session:
        session.add(Evaluation(run_id=claim.run_id, step=30, code_version="v"))
    post(client, f"/runs/{claim.run_id}/prune", dry_run=False)
    assert steps_of(context, claim, "weights") == [30, 50, 60]


def test_a_pruned_run_that_goes_on_resumes_from_its_last_checkpoint_or_the_one_before(
    client: TestClient, context: Context, worker: FakeWorker, experiment: dict[str, Any]
) -> None:
    claim = train(worker, over=False)
    post(client, f"/runs/{claim.run_id}/prune", dry_run=False)
    worker.release(claim)
    claims = [worker.claim() for _ in range(3)]
    (again,) = [other for other in claims if other.run_id == claim.run_id]
    assert again.checkpoint is not None and again.checkpoint.step == 60
    assert [context.artifacts.exists(sha256) for _, sha256 in (again.checkpoint.weights, again.checkpoint.state)] == [True, True]
    assert 50 in steps_of(context, claim, "state")


def test_the_recommended_checkpoint_comes_with_quality_and_f_mem(
    client: TestClient, worker: FakeWorker, experiment: dict[str, Any]
) -> None:
    claim = train(worker)
    found = RunCheckpoints.model_validate_json(client.get(f"{API}/runs/{claim.run_id}/checkpoints").content).recommendation
    assert found.step == 30
    assert found.quality is not None and (found.quality.metric, found.quality.count) == (LOSS, 32)
    assert found.f_mem is not None and (found.f_mem.low, found.f_mem.high, found.f_mem.count) == (0.0, 0.1, 32)


def test_while_copying_is_foretold_the_margin_is_that_of_the_runs_own_forecast(
    client: TestClient, worker: FakeWorker, experiment: dict[str, Any]
) -> None:
    claim = train(worker)
    foretold = Forecast(step=60, median=120, low=80, high=200, low_95=70, high_95=260)
    with worker.sessions.begin() as session:
        set_forecast(session, claim.run_id, foretold)
    set_onsets(worker.sessions, claim, ONSETS | {"tau_mem": NOT_BY_60})
    margin = RunCheckpoints.model_validate_json(client.get(f"{API}/runs/{claim.run_id}/checkpoints").content).recommendation.margin
    assert margin is not None and margin.predicted
    assert margin.words == "25 % of the predicted tau_mem (80 %: 15 to 38 %)"


def test_orphans_are_counted_and_then_removed(client: TestClient, context: Context, worker: FakeWorker, experiment: dict[str, Any]) -> None:
    claim = train(worker)
    orphan = worker.store(worker.claim(), "left.npz", "state", 5, x=[1])
    with context.sessions.begin() as session:
        session.query(RunFile).where(RunFile.path == "left.npz").delete()
    found = context.artifacts.find(orphan.sha256)
    assert found is not None
    make_old(context.artifacts, found.path)
    for dry_run in (True, False):
        report = GarbageReport.model_validate_json(client.post(f"{API}/system/garbage", json={"dry_run": dry_run}).content)
        assert (report.files, report.n_bytes) == (1, orphan.n_bytes)
        assert context.artifacts.exists(orphan.sha256) == dry_run
    assert steps_of(context, claim, "weights") == list(STEPS)


@pytest.mark.parametrize("path", ["/runs/nowhere/prune", "/experiments/nowhere/prune"])
def test_what_is_not_there_cannot_be_pruned(client: TestClient, path: str) -> None:
    assert client.post(f"{API}{path}", json={}).status_code == 404
