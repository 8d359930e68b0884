"""What the service says of itself to the System page."""

from typing import Any

import pytest

from backend.services import diagnosis
from backend.storage.claims import add_event, finish, release
from backend.storage.database import db_now
from backend.storage.tables import Evaluation, Run, Worker
from tauscope.contracts.diagnosis import DiagnosisView
from tauscope.contracts.runs import RunState
from tests.backend.conftest import API, FakeWorker, TestClient


def asked(client: TestClient) -> DiagnosisView:
    response = client.get(f"{API}/diagnosis")
    assert response.status_code == 200, response.text
    return DiagnosisView.model_validate(response.json())


def check(view: DiagnosisView, part: str) -> Any:
    return next(item for item in view.checks if item.part == part)


def beat(worker: FakeWorker, name: str = "gpu-1", *, age: float = 0.0, **fields: Any) -> None:
    with worker.sessions.begin() as session:
        session.merge(Worker(name=name, device="cpu", slots=2, seen_at=db_now() - age, **fields))


def test_every_part_that_is_away_is_named_with_its_remedy(client: TestClient) -> None:
    view = asked(client)
    assert {item.part for item in view.checks if not item.ok} == {"broker", "workers"}
    assert all(item.remedy for item in view.checks if not item.ok)
    assert "schema is current" in check(view, "database").found


def test_a_disk_that_is_nearly_full_and_a_folder_that_cannot_be_written_are_faults(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diagnosis, "FREE_BYTES", 2**70)
    monkeypatch.setattr(diagnosis, "access", lambda path, mode: False)
    view = asked(client)
    assert not check(view, "disk").ok and check(view, "disk").remedy == "Free some space"
    assert "cannot be written" in check(view, "artifact store").found


def test_only_workers_heard_of_lately_count(client: TestClient, worker: FakeWorker) -> None:
    beat(worker, "old", age=120)
    assert not check(asked(client), "workers").ok
    beat(worker, "new")
    assert check(asked(client), "workers").found == "1 with 2 slots in all"


def test_workers_of_another_code_version_are_named(client: TestClient, worker: FakeWorker) -> None:
    assert check(asked(client), "code version").found == "the same everywhere"
    beat(worker, "silent")
    assert check(asked(client), "code version").found == "not told by every worker"
    beat(worker, "a", code_version="0.0+other")
    view = asked(client)
    assert "0.0+other" in check(view, "code version").found
    assert {item.version: item.used_by for item in view.versions if "API" not in item.used_by} == {
        "0.0+other": ("a",),
        "not told": ("silent",),
    }


def test_queues_tell_what_waits_what_computes_and_who_serves_them(
    client: TestClient, experiment: dict[str, Any], worker: FakeWorker
) -> None:
    beat(worker, "a", queues=["default", "idle"])
    claim = worker.claim()
    with worker.sessions.begin() as session:
        waiting = next(run["id"] for run in experiment["runs"] if run["id"] != claim.run_id)
        session.get_one(Run, waiting).queue = "gpu"
        session.add(Evaluation(run_id=claim.run_id, step=5, code_version="a"))
    found = {item.name: (item.waiting, item.computing, item.evaluations, item.workers) for item in asked(client).queues}
    assert found == {"default": (1, 1, 1, 1), "gpu": (1, 0, 0, 0), "idle": (0, 0, 0, 1)}


def test_the_latest_failures_come_with_reason_and_traceback_and_tell_whether_the_run_goes_on(
    client: TestClient, experiment: dict[str, Any], worker: FakeWorker
) -> None:
    first = worker.claim()
    with worker.sessions.begin() as session:
        release(session, first, "in trouble", trouble="The store is away. Check it", detail="Traceback\n  line 1")
    second = worker.claim()
    with worker.sessions.begin() as session:
        finish(session, second, RunState.FAILED, "The loss is not a number. Lower lr", detail="Traceback\n  line 2")
    third = worker.claim()
    worker.release(third)
    with worker.sessions.begin() as session:
        add_event(session, third.run_id, 9, "evaluation_failed", "the samples of step 5 could not be drawn")
    missing, failed, given_back = asked(client).failures
    assert (missing.kind, missing.reason) == ("samples", "the samples of step 5 could not be drawn")
    assert (failed.run_id, failed.kind, failed.reason) == (second.run_id, "run", "The loss is not a number. Lower lr")
    assert failed.traceback == "Traceback\n  line 2"
    assert (given_back.kind, given_back.reason, given_back.traceback) == ("attempt", "The store is away. Check it", "Traceback\n  line 1")
    assert (failed.experiment, failed.experiment_id) == (experiment["name"], experiment["id"])
