"""Settings of what the reconciler sends: links, and the server and mailbox of mails."""

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from backend.storage.settings import StorageSettings
from tauscope.contracts.notifications import SUBSCRIBABLE

_PORTS = {"smtp": 587, "smtps": 465}


@dataclass(frozen=True)
class MailServer:
    """A mail server taken apart; ``starttls`` says whether a connection in the clear must turn into one that is not."""

    host: str
    port: int
    user: str
    password: str
    tls: bool
    starttls: bool


def read_mail_server(url: str) -> MailServer:
    """Take ``smtp://user:password@host:587`` or ``smtps://...`` apart.

    Raises:
        ValueError: if it is no such address, or would send a password in the clear.
    """
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname or parts.query not in ("", "starttls=off"):
        raise ValueError("is no address of a mail server | Write it as smtp://user:password@host:587 or smtps://user:password@host")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    starttls = parts.scheme == "smtp" and not parts.query
    if user and parts.query:
        raise ValueError("would send a password in the clear | Leave out starttls=off, or the user")
    return MailServer(parts.hostname, parts.port or _PORTS[parts.scheme], user, password, parts.scheme == "smtps", starttls)


class NotificationSettings(StorageSettings):
    """What notifications say and where mails go."""

    public_url: str = Field(
        "", description="address under which browsers reach the dashboard, for the links in notifications; `tauscope up` names its own"
    )
    smtp_url: SecretStr | None = Field(
        None,
        description="server that mails notifications: smtp://user:password@host:587 (with STARTTLS), smtps://... (TLS from the start),"
        " or smtp://host:25?starttls=off (in the clear, without a password)",
    )
    smtp_from: str = Field("", description="sender of those mails")
    smtp_to: str = Field("", validate_default=True, description="their recipients, separated by commas; needed with a mail server")
    smtp_events: str = Field(",".join(SUBSCRIBABLE), description="what is mailed, separated by commas; by default every event")

    @field_validator("smtp_url")
    @classmethod
    def _readable(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None:
            read_mail_server(url.get_secret_value())
        return url

    @field_validator("smtp_to")
    @classmethod
    def _addressed(cls, recipients: str, info: ValidationInfo) -> str:
        names = [name.strip() for name in recipients.split(",")]
        if info.data.get("smtp_url") and not all(_is_mailbox(name) for name in (info.data.get("smtp_from", ""), *names)):
            raise ValueError("a mail server needs a sender and recipients | Set TAUSCOPE_SMTP_FROM and TAUSCOPE_SMTP_TO to addresses")
        return ",".join(names)

    @field_validator("smtp_events")
    @classmethod
    def _known(cls, events: str) -> str:
        names = [name.strip() for name in events.split(",")]
        wrong = [name for name in names if name not in SUBSCRIBABLE]
        if wrong:
            raise ValueError(f"{wrong[0]!r} is no event | Use some of {', '.join(SUBSCRIBABLE)}")
        return ",".join(names)

    @property
    def mail_server(self) -> MailServer | None:
        """The server that mails notifications, where there is one."""
        return read_mail_server(self.smtp_url.get_secret_value()) if self.smtp_url else None

    @property
    def recipients(self) -> tuple[str, ...]:
        """Who gets mails; nobody without a server."""
        return tuple(self.smtp_to.split(",")) if self.smtp_url else ()


def _is_mailbox(name: str) -> bool:
    """Whether it may be an address; signs that would end a mail's header line are in none."""
    return "@" in name and name.isascii() and name.isprintable() and not set(name) & set(' ,;<>"')
