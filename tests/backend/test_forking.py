"""Launching a run that begins from a checkpoint of another one."""

from typing import Any

import pytest
from sqlalchemy import select

from backend.services.context import Context
from backend.storage.retention import drop_checkpoints
from backend.storage.tables import Artifact, Run, RunEvent, RunFile
from tauscope.contracts.problems import Problem
from tests.backend.conftest import API, FakeWorker, TestClient


@pytest.fixture
def origin(experiment: dict[str, Any], worker: FakeWorker) -> str:
    """A finished run with checkpoints at 10 and 20."""
    claim = worker.claim()
    for step in (10, 20):
        worker.measure(claim, step, checkpoint=True)
    worker.finish(claim)
    return claim.run_id


def fork(client: TestClient, run: str, step: int, **settings: Any) -> Any:
    asked = {"n_train": 8, "overrides": {}, "base.steps": 60, "base.fork": {"run": run, "step": step}, **settings}
    return client.post(f"{API}/experiments", json={"preset": "digits-ci", "settings": asked})


def test_a_fork_starts_from_the_checkpoint_with_the_same_bytes(
    client: TestClient, origin: str, worker: FakeWorker, context: Context
) -> None:
    response = fork(client, origin, 10, **{"base.optimizer.lr": 1e-4})
    assert response.status_code == 201, response.text
    forked = response.json()["runs"][0]
    assert (forked["step"], forked["state"]) == (10, "queued")
    with context.sessions() as session:
        digests = {
            run: dict(session.execute(select(RunFile.path, RunFile.sha256).where(RunFile.run_id == run, RunFile.step == 10)).all())
            for run in (origin, forked["id"])
        }
        weights = digests[origin]["checkpoints/10.weights"]
        assert digests[forked["id"]] == digests[origin]
        assert session.get_one(Run, forked["id"]).spec["fork"] == {"run": origin, "step": 10, "path": None, "weights_sha256": weights}
        created = session.scalars(select(RunEvent).where(RunEvent.run_id == forked["id"])).one()
        assert created.detail == f"from the checkpoint of step 10 of run {origin}"
        for held in session.scalars(select(Run).where(Run.id != forked["id"])):
            held.desired = "pause"
        session.commit()
    claim = worker.claim()
    assert claim.run_id == forked["id"] and claim.checkpoint is not None
    assert claim.checkpoint.step == 10 and claim.checkpoint.weights[1] == weights


def test_a_fork_keeps_its_checkpoint_when_the_origin_drops_its_own(client: TestClient, origin: str, context: Context) -> None:
    forked = fork(client, origin, 10).json()["runs"][0]["id"]
    with context.sessions.begin() as session:
        assert drop_checkpoints(session, origin, [10]) == []
        kept = session.scalars(select(RunFile.sha256).where(RunFile.run_id == forked)).all()
        assert len(kept) == 2
        assert set(session.scalars(select(Artifact.sha256))) >= set(kept)


@pytest.mark.parametrize(
    ("step", "changes", "path", "remedy"),
    [
        (15, {}, "fork.step", "It has checkpoints at: 10, 20"),
        (10, {"base.fork": {"run": "0nothing", "step": 10}}, "fork.run", "Take the id from the run's page"),
        (10, {"base.fork": {"path": "/etc/passwd", "step": 10}}, "fork.path", "Name fork.run and fork.step"),
    ],
)
def test_a_checkpoint_that_is_not_there_is_refused_at_its_field(
    client: TestClient, origin: str, step: int, changes: dict[str, Any], path: str, remedy: str
) -> None:
    response = fork(client, origin, step, **changes)
    problem = Problem.model_validate_json(response.content)
    assert response.status_code == 422
    assert (problem.errors[0].path, problem.errors[0].remedy.startswith(remedy)) == (path, True)


def test_a_fork_needs_more_steps_than_its_checkpoint_has(client: TestClient, origin: str) -> None:
    response = fork(client, origin, 20, **{"base.steps": 20})
    assert response.status_code == 422
    assert "are done by the checkpoint of step 20" in response.text
