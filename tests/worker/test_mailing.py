"""Mails, against a real SMTP server of the test."""

import email
import email.policy
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from backend.storage.announcements import announce_test
from backend.storage.flush import write_summary
from backend.storage.tables import Webhook
from backend.storage.webhooks import EMAIL_ID
from tests.receiver import TLS, Mailbox, mailbox
from tests.worker.conftest import AddRun
from tests.worker.notified import Sessions, attempts, notifications, onset
from tests.worker.test_announcements import FINAL
from worker.deliverer import Deliverer
from worker.settings import WorkerSettings, read_settings


@pytest.fixture
def database_kind() -> str:
    """What is mailed does not depend on the database."""
    return "sqlite"


@pytest.fixture(autouse=True)
def _trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(TLS / "localhost.pem"))


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mailbox() as found:
        yield found


def settings(home: Path, port: int, **more: str) -> WorkerSettings:
    about = {"smtp_url": f"smtp://ann:pass%20word@localhost:{port}", "smtp_from": "tau@lab.org", "smtp_to": "ann@lab.org, bob@lab.org"}
    return WorkerSettings(home=home, public_url="https://lab.org", **(about | more))


def deliverer(sessions: Sessions, given: WorkerSettings) -> Deliverer:
    """One that has started, and so knows the mailbox, but sends nothing by itself."""
    found = Deliverer(sessions, given)
    found.start_if_due()
    return found


def test_an_onset_is_mailed_in_plain_words_under_starttls_with_interval_count_and_control(
    sessions: Sessions, add_run: AddRun, box: Mailbox, tmp_path: Path
) -> None:
    sender = deliverer(sessions, settings(tmp_path, box.port))
    add_run(label="n_train=16")
    with sessions.begin() as session:
        write_summary(session, "run-1", {"tau_gen": onset(None, metric="loss"), "tau_mem": onset(233.0, 206.0, 326.0)}, FINAL)
    assert sender.send_due() == 1
    mail = email.message_from_string(box.mails[0], policy=email.policy.default)
    assert mail["Subject"] == "[tauscope] tau_mem reached: test, n_train=16"
    assert (mail["From"], mail["To"]) == ("tau@lab.org", "ann@lab.org, bob@lab.org") and box.recipients == ["ann@lab.org", "bob@lab.org"]
    assert mail["Message-ID"] == f"<{notifications(sessions)[0].id}@tauscope>" and mail.get_content_type() == "text/plain"
    text = mail.get_content()
    for words in (
        "tau_mem = 233 steps (95 % interval 206 to 326; f_mem at 0.25, count 384 a point).",
        "tau_gen: not by 450 (censored; loss at 0.25).",
        "f_mem = 0.41 (0.36 to 0.46) of 384",
        "f_mem_control = 0 (0 to 0.01) of 384",
        "run: https://lab.org/run?id=run-1",
    ):
        assert words in text
    assert all("AUTH" not in line and "MAIL" not in line for line in box.said_in_the_clear)
    assert attempts(sessions) == [(1, 250, "")]


def test_a_server_without_starttls_gets_neither_password_nor_mail(sessions: Sessions, tmp_path: Path) -> None:
    with mailbox(offers_tls=False) as box:
        sender = deliverer(sessions, settings(tmp_path, box.port))
        with sessions.begin() as session:
            announce_test(session, session.get_one(Webhook, EMAIL_ID))
        sender.send_due()
    assert box.mails == [] and not any("AUTH" in line for line in box.said)
    assert "SMTPNotSupportedError" in notifications(sessions)[0].reason


def test_recipients_that_the_server_refuses_are_named_while_the_others_get_their_mail(sessions: Sessions, tmp_path: Path) -> None:
    with mailbox(refuses=["bob"]) as box:
        sender = deliverer(sessions, settings(tmp_path, box.port))
        with sessions.begin() as session:
            announce_test(session, session.get_one(Webhook, EMAIL_ID))
        sender.send_due()
    assert len(box.mails) == 1 and attempts(sessions) == [(1, 250, "refused for bob@lab.org")]


def test_a_server_that_refuses_all_is_tried_again(sessions: Sessions, tmp_path: Path) -> None:
    with mailbox(refuses=["lab.org"]) as box:
        sender = deliverer(sessions, settings(tmp_path, box.port))
        with sessions.begin() as session:
            announce_test(session, session.get_one(Webhook, EMAIL_ID))
        sender.send_due()
    (row,) = notifications(sessions)
    assert row.state == "pending" and "nobody of that name" in row.reason and "pass" not in row.reason


def test_without_a_mail_server_the_mailbox_is_told_nothing_and_its_log_stays(sessions: Sessions, box: Mailbox, tmp_path: Path) -> None:
    deliverer(sessions, settings(tmp_path, box.port, smtp_events="run.failed"))
    with sessions() as session:
        hook = session.get_one(Webhook, EMAIL_ID)
        assert (hook.url, hook.events, hook.enabled) == ("mailto:ann@lab.org,bob@lab.org", ["run.failed"], True)
    deliverer(sessions, WorkerSettings(home=tmp_path))
    with sessions() as session:
        assert session.get_one(Webhook, EMAIL_ID).enabled is False


@pytest.mark.parametrize(
    ("wrong", "field", "words"),
    [
        ({"smtp_to": ""}, "smtp_to", "needs a sender and recipients"),
        ({"smtp_from": ""}, "smtp_to", "needs a sender and recipients"),
        ({"smtp_to": "ann@lab.org\nBcc: eve@evil.org"}, "smtp_to", "needs a sender and recipients"),
        ({"smtp_url": "https://localhost"}, "smtp_url", "no address of a mail server"),
        ({"smtp_url": "smtp://ann:secret@localhost?starttls=off"}, "smtp_url", "password in the clear"),
        ({"smtp_events": "run.exploded"}, "smtp_events", "no event"),
    ],
)
def test_settings_that_cannot_be_are_refused_by_field(wrong: dict[str, str], field: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match=words) as caught:
        settings(tmp_path, 25, **wrong)
    assert caught.value.errors()[0]["loc"] == (field,)


def test_a_wrong_mail_server_is_reported_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAUSCOPE_SMTP_URL", "http://ann:secret@localhost")
    with pytest.raises(SystemExit) as caught:
        read_settings()
    assert "TAUSCOPE_SMTP_URL" in str(caught.value) and "secret" not in str(caught.value)
