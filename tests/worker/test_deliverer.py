"""The deliverer against real receivers: signed, bounded, to the address that was looked at and to no other."""

import json
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy import update

from backend.storage.announcements import announce_test
from backend.storage.deliveries import Delivery
from backend.storage.tables import Notification, Webhook
from tauscope.client import SignatureError, verify_webhook
from tests.receiver import TLS, Receiver, dripping_server, http_receiver
from tests.worker.notified import SECRET, Sessions, add_hook, attempts, notifications, pass_time
from worker import posting
from worker.deliverer import Deliverer
from worker.posting import post
from worker.settings import WorkerSettings


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with http_receiver() as found:
        yield found


@pytest.fixture
def database_kind() -> str:
    """What is sent does not depend on the database; who may send it does, and is tested on both."""
    return "sqlite"


def deliverer(sessions: Sessions, tmp_path: Path, **settings: Any) -> Deliverer:
    about = {"home": tmp_path, "webhooks_private": True, "public_url": "https://lab.org/tau/"} | settings
    return Deliverer(sessions, WorkerSettings(**about), chance=lambda: 0.5)


def enqueue(sessions: Sessions, hook_id: str = "hook") -> None:
    with sessions.begin() as session:
        announce_test(session, session.get_one(Webhook, hook_id))


def delivery(url: str) -> Delivery:
    return Delivery("n", 1, "hook", "http", url, SECRET, "test", {})


def test_a_receiver_gets_a_signed_post_that_it_can_verify(sessions: Sessions, receiver: Receiver, tmp_path: Path) -> None:
    add_hook(sessions, url=receiver.url)
    enqueue(sessions)
    assert deliverer(sessions, tmp_path).send_due() == 1
    (request,) = receiver.received
    assert request.path == "/hook?key=1" and request.headers["Host"] == f"localhost:{receiver.port}"
    said = verify_webhook(SECRET, request.headers, request.body)
    (row,) = notifications(sessions)
    assert (said.event, said.id, request.headers["webhook-id"]) == ("test", row.event_id, row.id)
    assert said.links == {"system": "https://lab.org/tau/system"}
    assert (row.state, attempts(sessions)) == ("delivered", [(1, 204, "")])
    with pytest.raises(SignatureError):
        verify_webhook(SECRET, request.headers, request.body + b" ")


def test_what_failed_is_sent_again_with_the_same_id_and_body_once_its_time_has_come(
    sessions: Sessions, receiver: Receiver, tmp_path: Path
) -> None:
    receiver.answers = [500, 302]
    add_hook(sessions, url=receiver.url)
    enqueue(sessions)
    sender = deliverer(sessions, tmp_path)
    assert (sender.send_due(), sender.send_due()) == (1, 0)
    pass_time(sessions, 10)
    assert sender.send_due() == 1
    assert "redirects are not followed" in notifications(sessions)[0].reason
    pass_time(sessions, 30)
    assert sender.send_due() == 1
    assert [(number, status) for number, status, _ in attempts(sessions)] == [(1, 500), (2, 302), (3, 204)]
    assert len({request.headers["webhook-id"] for request in receiver.received}) == 1
    assert len({request.body for request in receiver.received}) == 1
    assert {request.path for request in receiver.received} == {"/hook?key=1"}


def test_a_crash_between_the_commit_and_the_delivery_loses_nothing(sessions: Sessions, receiver: Receiver, tmp_path: Path) -> None:
    add_hook(sessions, url=receiver.url)
    enqueue(sessions)
    crashed = deliverer(sessions, tmp_path)

    def crash() -> None:
        raise KeyboardInterrupt

    crashed._attempt = lambda _: crash()  # type: ignore[method-assign, assignment, return-value]
    with pytest.raises(KeyboardInterrupt):
        crashed.send_due()
    assert deliverer(sessions, tmp_path).send_due() == 0
    pass_time(sessions, 121)
    assert deliverer(sessions, tmp_path).send_due() == 1
    assert len(receiver.received) == 1 and attempts(sessions) == [(1, None, ""), (2, 204, "")]


def test_a_slow_receiver_holds_up_neither_the_reconciler_nor_other_hooks(sessions: Sessions, receiver: Receiver, tmp_path: Path) -> None:
    released, waiting = socket.socketpair()
    waiting.settimeout(120)
    with http_receiver() as slow, released, waiting:
        slow.before = lambda: waiting.recv(1)
        add_hook(sessions, "slow", url=slow.url)
        add_hook(sessions, "quick", url=receiver.url)
        for name in ("slow", "quick"):
            enqueue(sessions, name)
        sender = deliverer(sessions, tmp_path)
        begun = time.monotonic()
        while not (slow.received and receiver.received):
            sender.start_if_due()
            assert time.monotonic() - begun < 60
            time.sleep(0.01)
        assert [row.state for row in notifications(sessions) if row.webhook_id == "slow"] == ["pending"]
        released.send(b"x")
        while any(row.state == "pending" for row in notifications(sessions)):
            assert time.monotonic() - begun < 90
            time.sleep(0.01)


def test_an_answer_that_comes_in_drops_is_ended_when_the_attempt_is_over() -> None:
    with dripping_server() as url:
        outcome = post(delivery(url), b"{}", allow_private=True, seconds=0.3)
    assert outcome.error == "no answer within 0.3 s" and outcome.seconds < 2


def test_a_receiver_that_is_not_there_is_an_error_of_the_attempt() -> None:
    outcome = post(delivery("http://localhost:1/"), b"{}", allow_private=True)
    assert outcome.error.startswith("ConnectionRefusedError") and not outcome.hopeless


def test_a_name_that_leads_to_a_refused_address_is_refused_when_it_is_resolved(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def resolve(host: str, port: int, **_: object) -> list[Any]:
        asked.append(host)
        return [(0, 0, 0, "", (address, port)) for address in ("93.184.216.34", "169.254.169.254")]

    monkeypatch.setattr(posting, "parse_receiver", lambda url, **_: posting.Receiver("http", "receiver.test", 80, "/"))
    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    outcome = post(delivery("http://receiver.test/"), b"{}", allow_private=True)
    assert outcome.hopeless and "169.254.169.254 is a link-local" in outcome.error and asked == ["receiver.test"]


def test_the_connection_goes_to_the_address_that_was_looked_at_under_the_name_that_was_given(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that is resolved once cannot mean another machine a moment later."""
    answers = [[(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", receiver.port))]]
    resolve = socket.getaddrinfo

    def once(host: str, *rest: Any, **options: Any) -> Any:
        return answers.pop() if host == "receiver.test" and not options.get("flags") else resolve(host, *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", once)
    outcome = post(delivery(f"http://receiver.test:{receiver.port}/x"), b"{}", allow_private=True)
    assert (outcome.error, answers) == ("", [])
    assert receiver.received[0].headers["Host"] == f"receiver.test:{receiver.port}"


@pytest.mark.parametrize(("trusted", "status"), [(True, 204), (False, None)])
def test_over_tls_the_certificate_must_be_that_of_the_name(trusted: bool, status: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(TLS / "localhost.pem"))
    with http_receiver(tls=True) as receiver:
        outcome = post(delivery(receiver.url), b"{}", allow_private=True)
        by_number = post(delivery(receiver.url.replace("localhost", "127.0.0.1")), b"{}", allow_private=True)
    assert outcome.status == status
    assert "CERTIFICATE_VERIFY_FAILED" in by_number.error


def test_private_addresses_are_refused_for_good_where_the_settings_do_not_allow_them(
    sessions: Sessions, receiver: Receiver, tmp_path: Path
) -> None:
    add_hook(sessions, url=receiver.url)
    enqueue(sessions)
    assert deliverer(sessions, tmp_path, webhooks_private=False).send_due() == 1
    (row,) = notifications(sessions)
    assert row.state == "given_up" and "TAUSCOPE_WEBHOOKS_PRIVATE" in row.reason and receiver.received == []


def test_neither_secret_nor_address_is_logged(sessions: Sessions, receiver: Receiver, tmp_path: Path) -> None:
    receiver.answers = [500]
    for name in ("one", "two"):
        add_hook(sessions, name, url=receiver.url)
        enqueue(sessions, name)
    with structlog.testing.capture_logs() as logs:
        deliverer(sessions, tmp_path).send_due()
    assert {line["event"] for line in logs} == {"notification_not_delivered", "notification_delivered"}
    told = json.dumps(logs) + repr(delivery(receiver.url))
    assert SECRET not in told and "key=1" not in told


def test_what_another_version_wrote_and_nobody_can_read_is_given_up(sessions: Sessions, receiver: Receiver, tmp_path: Path) -> None:
    add_hook(sessions, url=receiver.url)
    enqueue(sessions)
    with sessions.begin() as session:
        session.execute(update(Notification).values(payload={"version": 9}))
    deliverer(sessions, tmp_path).send_due()
    assert [row.state for row in notifications(sessions)] == ["given_up"] and receiver.received == []


def test_a_proxy_of_the_environment_is_not_asked(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setitem(os.environ, name, "http://127.0.0.1:1")
    assert post(delivery(receiver.url), b"{}", allow_private=True).status == 204
