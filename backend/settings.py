"""The settings of the HTTP interface."""

from ipaddress import ip_address
from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, field_validator, model_validator

from backend.storage.settings import StorageSettings

MIN_TOKEN = 16


class ApiSettings(StorageSettings):
    """Read from ``TAUSCOPE_*`` where they are not given."""

    host: str = Field("127.0.0.1", description="address to listen on; any but loopback needs a token")
    api_port: int = Field(8500, ge=0, le=65535, description="port of the HTTP interface; 0 takes a free one")
    token: SecretStr | None = Field(None, description=f"secret of at least {MIN_TOKEN} characters that every request must carry")
    allowed_hosts: tuple[str, ...] = Field((), description='further Host names to answer to on loopback, as JSON: ["lab.local"]')
    allowed_origins: tuple[str, ...] = Field((), description='further origins of pages that may call, as JSON: ["https://lab.org"]')

    data_roots: tuple[Path, ...] = Field((), description='folders below which paths may be registered as data sets, as JSON: ["/data"]')
    upload_mb: int = Field(2000, ge=1, description="largest archive that may be uploaded as a data set, in MB of 10^6 bytes")
    quota_gb: float | None = Field(None, gt=0, description="space for artifacts, in GB of 10^9 bytes; warns from 80 % on, refuses nothing")

    @field_validator("token")
    @classmethod
    def _strong_enough(cls, token: SecretStr | None) -> SecretStr | None:
        text = token.get_secret_value() if token else None
        if text is not None and (len(text) < MIN_TOKEN or not all("!" <= sign <= "~" and sign not in '";,\\' for sign in text)):
            raise ValueError(
                f"must have at least {MIN_TOKEN} printable ASCII characters, none of them a space, comma, semicolon, quote or backslash"
                ' | Make one with: python -c "import secrets; print(secrets.token_urlsafe(32))"'
            )
        return token

    @model_validator(mode="after")
    def _guarded(self) -> Self:
        if not self.on_loopback and self.token is None:
            raise ValueError(f"host {self.host} can be reached by others, and there is no token | Set TAUSCOPE_TOKEN to a secret")
        return self

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can connect."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False  # A name that may resolve to anything.
