"""Going on in spite of a policy, over HTTP: it is off from then, which is recorded."""

from typing import Any

import pytest

from backend.services.context import Context
from backend.storage.claims import Claim, finish
from backend.storage.flush import read_points
from backend.storage.tables import Run
from backend.storage.verdicts import request_stop_by_policy
from tauscope.analysis.stopping import verdict
from tauscope.contracts.run_views import RunView
from tauscope.contracts.runs import RunState
from tauscope.specs import ImageDdpmSpec
from tests.backend.conftest import API, FakeWorker, TestClient


def launch(client: TestClient, policy: dict[str, Any]) -> RunView:
    response = client.post(f"{API}/experiments", json={"preset": "digits-ci", "settings": {"n_train": 8, "stopping": policy}})
    assert response.status_code == 201, response.text
    return RunView.model_validate(response.json()["runs"][0])


def measure(worker: FakeWorker) -> Claim:
    """Half of the samples are copies, at two checkpoints."""
    claim = worker.claim()
    for step in (20, 40):
        worker.measure(claim, step, checkpoint=True)
    return claim


def stop_by_policy(context: Context, claim: Claim) -> str:
    """As a worker does; the reason."""
    with context.sessions.begin() as session:
        spec = ImageDdpmSpec.model_validate(session.get_one(Run, claim.run_id).spec)
        found = verdict(spec, read_points(session, claim.run_id), settled=40)
        assert found is not None and request_stop_by_policy(session, claim.run_id, found)
        finish(session, claim, RunState.STOPPED, found.reason)
    return found.reason


def view(client: TestClient, run_id: str) -> RunView:
    return RunView.model_validate_json(client.get(f"{API}/runs/{run_id}").content)


@pytest.mark.parametrize("how", ["resume", "extend"])
def test_a_run_that_its_policy_stopped_goes_on_at_its_owners_word_and_the_policy_is_off(
    client: TestClient, context: Context, worker: FakeWorker, how: str
) -> None:
    run = launch(client, {"name": "copying"})
    reason = stop_by_policy(context, measure(worker))
    stopped = view(client, run.id)
    assert (stopped.state, stopped.reason) == (RunState.STOPPED, reason)
    assert stopped.verdict is not None and (stopped.verdict.step, stopped.verdict.policy) == (40, "copying")
    body = {"json": {"steps": 2 * run.steps}} if how == "extend" else {}
    assert client.post(f"{API}/runs/{run.id}/{how}", **body).status_code == 200
    goes_on = view(client, run.id)
    assert (goes_on.state, goes_on.verdict, goes_on.reason) == (RunState.QUEUED, None, "")
    assert goes_on.steps == (2 * run.steps if how == "extend" else run.steps)
    with context.sessions() as session:
        assert session.get_one(Run, run.id).spec["stopping"] == {"name": "budget"}
    told = [(event["name"], event["detail"]) for event in client.get(f"{API}/runs/{run.id}/events").json()]
    assert ("policy_says_stop", reason) in told
    assert told[-1] == (
        "extended",
        f"to {goes_on.steps} steps by its owner, in spite of its policy 'copying', which is off from now: at 40 it said stop",
    )


def test_a_policy_that_has_not_said_stop_stays_on_when_a_run_is_extended(client: TestClient, context: Context, worker: FakeWorker) -> None:
    run = launch(client, {"name": "copying", "level": 0.9})
    claim = measure(worker)
    worker.finish(claim)
    assert client.post(f"{API}/runs/{run.id}/extend", json={"steps": 2 * run.steps}).status_code == 200
    with context.sessions() as session:
        assert session.get_one(Run, run.id).spec["stopping"] == {"name": "copying", "level": 0.9, "confirmations": 2}


def test_resuming_a_run_that_its_owner_stopped_still_changes_nothing(client: TestClient, worker: FakeWorker) -> None:
    run = launch(client, {"name": "copying"})
    client.post(f"{API}/runs/{run.id}/stop")
    assert client.post(f"{API}/runs/{run.id}/resume").json()["state"] == "stopped"


@pytest.mark.parametrize(
    ("policy", "path"),
    [
        ({"name": "copying", "level": 1.5}, "stopping.level"),
        ({"name": "window", "gap_index": 7}, "stopping.gap_index 7 is not measured"),
        ({"name": "never"}, "stopping"),
    ],
)
def test_a_policy_that_cannot_be_followed_is_refused_at_its_field(client: TestClient, policy: dict[str, Any], path: str) -> None:
    response = client.post(f"{API}/experiments", json={"preset": "digits-ci", "settings": {"stopping": policy}})
    assert response.status_code == 422 and path in response.text and "remedy" in response.text


def test_the_checkpoints_of_a_run_tell_what_the_last_one_warns_of(client: TestClient, worker: FakeWorker) -> None:
    run = launch(client, {"name": "budget"})
    measure(worker)
    found = client.get(f"{API}/runs/{run.id}/checkpoints").json()
    assert found["warnings"] == ["at 40: f_mem 16 of 32 (40 to 60 %), control 0 of 1,000 (under 0.4 %)"]
