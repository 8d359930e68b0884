"""Signatures, and the commands about hooks against a running service with a real receiver."""

import json
import threading
import time
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from backend.settings import ApiSettings
from tauscope.cli.app import app
from tauscope.client import SignatureError, TauscopeClient, verify_webhook
from tauscope.client.webhooks import check_secret, new_secret, signed_headers
from tauscope.contracts.notifications import Announcement, HookEvent, OnsetNews, RunNews
from tauscope.contracts.onsets import Onset, OnsetStatus
from tests.client.conftest import LiveServer
from tests.client.test_worker_commands import invoke
from tests.receiver import http_receiver
from worker.deliverer import Deliverer
from worker.settings import WorkerSettings

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = Announcement(id="e", event=HookEvent.TEST, at=1.0).model_dump_json().encode()
NOW = 1_614_265_330


def signed(body: bytes = BODY, **replaced: str) -> dict[str, str]:
    return signed_headers(SECRET, "msg", NOW, body) | replaced


def test_the_signature_is_that_of_the_published_example() -> None:
    """The example of Standard Webhooks' own libraries."""
    headers = signed_headers(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", NOW, b'{"test": 2432232314}')
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_a_signed_request_is_read_whatever_the_case_of_its_headers() -> None:
    assert verify_webhook(SECRET, signed(), BODY, now=NOW).event is HookEvent.TEST
    assert verify_webhook(SECRET, {name.title(): value for name, value in signed().items()}, BODY, now=NOW + 299).id == "e"
    several = {"webhook-signature": f"v1a,xyz v1,AAAA {signed()['webhook-signature']}"}
    assert verify_webhook(SECRET, signed() | several, BODY, now=NOW).id == "e"


@pytest.mark.parametrize(
    ("headers", "body", "now", "words"),
    [
        (signed(), BODY + b" ", NOW, "no signature fits"),
        (signed(**{"webhook-id": "other"}), BODY, NOW, "no signature fits"),
        (signed(**{"webhook-timestamp": str(NOW + 1)}), BODY, NOW, "no signature fits"),
        (signed(**{"webhook-signature": signed()["webhook-signature"].replace("v1,", "v2,")}), BODY, NOW, "no signature fits"),
        (signed(**{"webhook-signature": "v1,é"}), BODY, NOW, "no signature fits"),
        (signed(), BODY, NOW + 301, "signed 301 s from now"),
        (signed(), BODY, NOW - 301, "signed 301 s from now"),
        (signed(**{"webhook-timestamp": "soon"}), BODY, NOW, "no whole number"),
        ({"webhook-id": "msg"}, BODY, NOW, "no header webhook-timestamp"),
    ],
)
def test_what_no_hook_of_this_secret_sent_or_what_is_old_is_refused(headers: dict[str, str], body: bytes, now: int, words: str) -> None:
    with pytest.raises(SignatureError, match=words):
        verify_webhook(SECRET, headers, body, now=now)


def test_another_secret_does_not_fit_and_a_signed_body_must_be_an_announcement() -> None:
    with pytest.raises(SignatureError, match="no signature fits"):
        verify_webhook(new_secret(), signed(), BODY, now=NOW)
    with pytest.raises(ValidationError):
        verify_webhook(SECRET, signed(b"{}"), b"{}", now=NOW)


@pytest.mark.parametrize("secret", ["", "hunter2", "whsec_", "whsec_c2hvcnQ=", "whsec_***", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])
def test_what_is_no_secret_is_refused(secret: str) -> None:
    with pytest.raises(SignatureError, match="whsec_ and 24 to 64 bytes"):
        check_secret(secret)


@pytest.fixture
def server(database_url: str, tmp_path: Path) -> LiveServer:
    """A running service that takes receivers on this machine, as `tauscope up` does."""
    return LiveServer(ApiSettings(database_url=database_url, home=tmp_path / "home", broker_url="memory://", webhooks_private=True))


def test_hooks_are_added_tried_listed_disabled_and_removed(server: LiveServer, tmp_path: Path) -> None:
    where = ("--url", server.url)
    assert "tauscope hooks add" in invoke("hooks", "list", *where)
    with http_receiver() as receiver:
        # The service of the test logs into the same output, before.
        created = json.loads(invoke("hooks", "add", receiver.url, "--event", "run.failed", "--json", *where).splitlines()[-1])
        assert created["events"] == ["run.failed"]
        sender = Deliverer(server.context.sessions, WorkerSettings(home=tmp_path, webhooks_private=True))
        with TauscopeClient(server.url) as client:
            sent = client.test_hook(created["id"])
            sender.send_due()
            (found,) = client.deliveries(created["id"])
        assert (found.id, found.state, found.attempts[0].status) == (sent.id, "delivered", 204)
        assert verify_webhook(created["secret"], receiver.received[0].headers, receiver.received[0].body).event == "test"
    listed = invoke("hooks", "list", *where)
    assert "run.failed" in listed and "test, delivered" in listed and created["secret"] not in listed
    assert "answer 204 after" in invoke("hooks", "deliveries", created["id"], *where)
    assert "told nothing" in invoke("hooks", "disable", created["id"], *where)
    assert f"{created['id']} (off)" in invoke("hooks", "list", *where)
    assert "told again" in invoke("hooks", "disable", created["id"], "--off", *where)
    assert "removed" in invoke("hooks", "remove", created["id"], *where)
    assert json.loads(invoke("hooks", "list", "--json", *where)) == []
    server.stop()


def test_trying_a_hook_that_does_not_answer_says_why_and_exits_with_one(
    server: LiveServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender = Deliverer(server.context.sessions, WorkerSettings(home=tmp_path, webhooks_private=True))
    printed = invoke("hooks", "add", "http://localhost:1/", "--url", server.url)
    hook = next(line for line in printed.splitlines() if "is told of" in line).split()[0]
    assert "shown this once: whsec_" in printed
    monkeypatch.setattr(time, "sleep", lambda _: sender.send_due())  # Instead of the reconciler.
    result = CliRunner().invoke(app, ["hooks", "test", hook, "--url", server.url])
    monkeypatch.undo()
    assert result.exit_code == 1 and "ConnectionRefusedError" in result.stdout
    server.stop()


def test_the_receiver_of_the_documentation_takes_what_is_signed_once_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (Path(__file__).parents[2] / "docs/how-to/notifications.md").read_text()
    names: dict[str, Any] = {"__name__": "example"}
    exec(page.partition("```python\n")[2].partition("```")[0], names)
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    monkeypatch.setattr(names["Receiver"], "log_message", lambda *_: None)
    told = Onset(value=233.0, low=206.0, high=326.0, status=OnsetStatus.REACHED, metric="f_mem", level=0.25)
    body = _announced(told).model_dump_json().encode()
    server = ThreadingHTTPServer(("127.0.0.1", 0), names["Receiver"])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}/"
    signed_now = signed_headers(SECRET, "msg", int(time.time()), body)
    answers = [httpx.post(address, content=sent, headers=signed_now, trust_env=False).status_code for sent in (body, body, body + b" ")]
    server.shutdown()
    server.server_close()
    thread.join()
    assert answers == [204, 204, 401]
    assert capsys.readouterr().out == "n_train=16: tau_mem = 233.0 (206.0 to 326.0)\n"


def _announced(told: Onset) -> Announcement:
    run = RunNews(
        **{"id": "r", "label": "n_train=16", "params": {}, "state": "running", "step": 1, "steps": 2, "measured_step": 1, "reason": ""},
        onsets={"tau_mem": OnsetNews(**told.model_dump(), count=384)},
        numbers=(),
    )
    return Announcement(id="e", event=HookEvent.ONSET_REACHED, at=1.0, run=run, onset="tau_mem")
