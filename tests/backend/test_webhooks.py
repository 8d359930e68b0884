"""Hooks over HTTP, on both databases."""

from typing import Any

import pytest
import structlog

from backend.services import webhooks
from backend.services.context import Context
from backend.storage.deliveries import Outcome, claim_delivery, record_outcome
from backend.storage.tables import Webhook
from backend.storage.webhooks import set_mailbox
from tauscope.client.webhooks import check_secret
from tauscope.contracts.notifications import SUBSCRIBABLE
from tests.backend.conftest import API, FakeWorker, TestClient

URL = "https://receiver.example/hook?key=1"


def add(client: TestClient, **fields: Any) -> dict[str, Any]:
    response = client.post(f"{API}/webhooks", json={"url": URL} | fields)
    assert response.status_code == 201, response.text
    found: dict[str, Any] = response.json()
    return found


def attempt(context: Context, outcome: Outcome) -> None:
    with context.sessions.begin() as session:
        delivery = claim_delivery(session, ("http",))
        assert delivery is not None
        record_outcome(session, delivery, outcome, chance=0.5)


def test_a_hook_is_added_with_a_secret_that_is_shown_this_once(client: TestClient) -> None:
    with structlog.testing.capture_logs() as logs:
        created = add(client)
    assert check_secret(created["secret"]) and created["events"] == list(SUBSCRIBABLE) and created["enabled"] is True
    (listed,) = client.get(f"{API}/webhooks").json()
    assert listed == {name: value for name, value in created.items() if name != "secret"}
    assert created["secret"] not in str(logs) and "key=1" not in str(logs)


def test_a_secret_of_ones_own_is_taken_and_a_weak_one_refused_without_repeating_it(client: TestClient) -> None:
    own = "whsec_" + "QUJD" * 8
    assert add(client, secret=own)["secret"] == own
    for weak in ("hunter2hunter2hunter2", "whsec_c2hvcnQ="):
        response = client.post(f"{API}/webhooks", json={"url": URL, "secret": weak})
        assert response.status_code == 422 and weak not in response.text
        assert response.json()["errors"][0]["path"] == "secret"


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"url": "http://169.254.169.254/"}, "url"),
        ({"url": "http://127.0.0.1:9000/"}, "url"),
        ({"url": "ftp://receiver.example/"}, "url"),
        ({"url": "https://receiver.example/" + "x" * 2000}, "body.url"),
        ({"events": []}, "body.events"),
        ({"events": ["test"]}, "body.events"),
        ({"events": ["run.exploded"]}, "body.events.0"),
        ({"sekret": "x"}, "body.sekret"),
    ],
)
def test_what_cannot_be_is_refused_by_field_with_a_remedy(fields: dict[str, Any], path: str, client: TestClient) -> None:
    response = client.post(f"{API}/webhooks", json={"url": URL} | fields)
    assert response.status_code == 422
    error = response.json()["errors"][0]
    assert error["path"] == path and error["remedy"]


def test_private_receivers_are_taken_where_the_setting_allows_them(context: Context, client: TestClient) -> None:
    object.__setattr__(context, "settings", context.settings.model_copy(update={"webhooks_private": True}))
    assert add(client, url="http://127.0.0.1:9000/")["url"] == "http://127.0.0.1:9000/"


def test_a_hook_of_one_experiment_names_one_that_is_there(client: TestClient, experiment: dict[str, Any]) -> None:
    assert add(client, experiment_id=experiment["id"])["experiment_id"] == experiment["id"]
    response = client.post(f"{API}/webhooks", json={"url": URL, "experiment_id": "nowhere"})
    assert response.status_code == 404


def test_a_test_is_enqueued_and_its_attempts_are_listed(client: TestClient, context: Context) -> None:
    hook = add(client)["id"]
    response = client.post(f"{API}/webhooks/{hook}/test")
    assert response.status_code == 202
    sent = response.json()
    assert (sent["event"], sent["state"], sent["attempts"]) == ("test", "pending", [])
    attempt(context, Outcome(0.25, 503, "answer 503"))
    (listed,) = client.get(f"{API}/webhooks/{hook}/deliveries").json()
    assert (listed["id"], listed["state"], listed["reason"]) == (sent["id"], "pending", "answer 503")
    (made,) = listed["attempts"]
    assert (made["number"], made["seconds"], made["status"], made["error"]) == (1, 0.25, 503, "answer 503")
    assert listed["due_at"] == pytest.approx(made["at"] + 10, abs=5)
    (view,) = client.get(f"{API}/webhooks").json()
    assert view["last"]["id"] == view["trouble"]["id"] == sent["id"] and (view["pending"], view["given_up"]) == (1, 0)


def test_a_run_that_ends_is_told_to_those_who_asked(client: TestClient, worker: FakeWorker, experiment: dict[str, Any]) -> None:
    told, untold = add(client, events=["run.finished", "onset.reached"])["id"], add(client, events=["run.failed"])["id"]
    worker.finish(worker.claim(), tau_mem=200.0)
    found = client.get(f"{API}/webhooks/{told}/deliveries").json()
    assert [item["event"] for item in found] == ["run.finished", "onset.reached"]
    assert all(item["experiment_id"] == experiment["id"] for item in found)
    assert client.get(f"{API}/webhooks/{untold}/deliveries").json() == []


def test_a_hook_is_disabled_enabled_and_deleted_with_what_waits(client: TestClient, context: Context) -> None:
    hook = add(client)["id"]
    client.post(f"{API}/webhooks/{hook}/test")
    assert client.put(f"{API}/webhooks/{hook}/enabled", json={"enabled": False}).json()["enabled"] is False
    assert client.put(f"{API}/webhooks/{hook}/enabled", json={"enabled": True}).json()["enabled"] is True
    assert client.delete(f"{API}/webhooks/{hook}").status_code == 204
    assert client.get(f"{API}/webhooks").json() == []
    with context.sessions.begin() as session:
        assert claim_delivery(session, ("http",)) is None


@pytest.mark.parametrize(
    ("method", "path"),
    [("DELETE", ""), ("PUT", "/enabled"), ("POST", "/test"), ("GET", "/deliveries")],
)
def test_a_hook_that_is_not_there_is_said_to_be_so(method: str, path: str, client: TestClient) -> None:
    response = client.request(method, f"{API}/webhooks/nowhere{path}", json={"enabled": True} if method == "PUT" else None)
    assert (response.status_code, response.json()["code"]) == (404, "hook_not_found")


def test_the_mailbox_of_the_settings_is_listed_and_changed_there_alone(client: TestClient, context: Context) -> None:
    with context.sessions.begin() as session:
        set_mailbox(session, ["ann@lab.org"], ["run.failed"])
    (view,) = client.get(f"{API}/webhooks").json()
    assert (view["id"], view["kind"], view["url"]) == ("email", "email", "mailto:ann@lab.org")
    refused = [client.delete(f"{API}/webhooks/email"), client.put(f"{API}/webhooks/email/enabled", json={"enabled": False})]
    assert [(response.status_code, response.json()["code"]) for response in refused] == [(409, "hook_fixed")] * 2
    assert "TAUSCOPE_SMTP_TO" in refused[0].json()["remedy"]
    assert client.post(f"{API}/webhooks/email/test").status_code == 202
    with context.sessions.begin() as session:
        set_mailbox(session, [], [])
    response = client.post(f"{API}/webhooks/email/test")
    assert response.status_code == 409 and "TAUSCOPE_SMTP_URL" in response.json()["remedy"]


def test_there_are_at_most_so_many_hooks(client: TestClient, context: Context) -> None:
    with context.sessions.begin() as session:
        session.add_all(Webhook(id=f"h{n}", kind="http", url=URL, events=[], secret="", enabled=True) for n in range(webhooks.MAX_HOOKS))
    response = client.post(f"{API}/webhooks", json={"url": URL})
    assert response.status_code == 422 and "Delete one" in response.text
