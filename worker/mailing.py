"""Sending a notification as a mail."""

import smtplib
import time
from email.message import EmailMessage

import httpx

from backend.storage.deliveries import Delivery, Outcome
from tauscope.contracts.notifications import Announcement
from worker.mail_text import mail_subject, mail_text
from worker.notification_settings import MailServer, NotificationSettings

REPLY_SECONDS = 10.0  # For each of the server's replies.


def mail(delivery: Delivery, announcement: Announcement, settings: NotificationSettings) -> Outcome:
    """Make one attempt; whatever goes wrong is its outcome. A mail that comes twice has the same Message-ID."""
    begun = time.monotonic()
    server = settings.mail_server
    assert server is not None
    try:
        refused = _send(server, _message(delivery, announcement, settings), settings)
    except smtplib.SMTPResponseException as error:
        reply = error.smtp_error.decode(errors="replace") if isinstance(error.smtp_error, bytes) else error.smtp_error
        return Outcome(time.monotonic() - begun, error.smtp_code, f"{type(error).__name__}: {reply}")
    except (OSError, UnicodeError, smtplib.SMTPException) as error:
        return Outcome(time.monotonic() - begun, error=f"{type(error).__name__}: {error}")
    remark = f"refused for {', '.join(refused)}" if refused else ""
    return Outcome(time.monotonic() - begun, 250, remark=remark)


def _send(server: MailServer, message: EmailMessage, settings: NotificationSettings) -> list[str]:
    """Hand the mail over, and return the recipients that were refused while others were not."""
    with _connection(server) as smtp:
        if server.starttls:
            # A server that does not offer it is an error, and gets neither password nor mail.
            smtp.starttls(context=httpx.create_ssl_context())
        if server.user:
            smtp.login(server.user, server.password)
        return list(smtp.send_message(message, settings.smtp_from, settings.recipients))


def _connection(server: MailServer) -> smtplib.SMTP:
    if server.tls:
        return smtplib.SMTP_SSL(server.host, server.port, timeout=REPLY_SECONDS, context=httpx.create_ssl_context())
    return smtplib.SMTP(server.host, server.port, timeout=REPLY_SECONDS)


def _message(delivery: Delivery, announcement: Announcement, settings: NotificationSettings) -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = mail_subject(announcement)
    message["From"], message["To"] = settings.smtp_from, ", ".join(settings.recipients)
    message["Message-ID"] = f"<{delivery.id}@tauscope>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail_text(announcement))
    return message
