"""Where the service keeps its rows, files and wake-up messages; shared by the API and the workers."""

import re
from pathlib import Path
from typing import Any

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


def _default_database(data: dict[str, Any]) -> str:
    return f"sqlite:///{data['home'] / 'tauscope.db'}"


def _default_artifacts(data: dict[str, Any]) -> str:
    return str(data["home"] / "artifacts")


class StorageSettings(BaseSettings):
    """Settings of everything that touches the database, read from ``TAUSCOPE_*`` where they are not given."""

    model_config = SettingsConfigDict(env_prefix="TAUSCOPE_", env_ignore_empty=True, frozen=True, extra="ignore")

    home: Path = Field(Path("~/.tauscope"), validate_default=True, description="folder of everything kept on this machine")
    database_url: str = Field(
        default_factory=_default_database,
        description="sqlite:///path (local disk only) or postgresql://user:password@host/name; by default tauscope.db under home",
    )
    artifacts_url: str = Field(
        default_factory=_default_artifacts,
        description="folder or fsspec address (s3://bucket/prefix) of images, samples and checkpoints; by default artifacts under home",
    )
    broker_url: str = Field("redis://127.0.0.1:6379/0", description="the Redis-protocol server that carries wake-up messages")
    garbage_grace_seconds: float = Field(
        3600.0, gt=0, description="age below which a file that nothing refers to is left alone; longer than any worker holds results back"
    )

    webhooks_private: bool = Field(False, description="whether hooks may lead to loopback and private addresses; `tauscope up` allows it")

    @field_validator("home")
    @classmethod
    def _absolute(cls, home: Path) -> Path:
        return home.expanduser().absolute()

    @field_validator("database_url")
    @classmethod
    def _known_driver(cls, url: str) -> str:
        """Any spelling of Postgres means the one driver that is installed."""
        url = re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", url)
        if not url.startswith(("sqlite:///", "postgresql+psycopg://")):
            raise ValueError("is neither sqlite:///path nor postgresql://... | Set TAUSCOPE_DATABASE_URL to one of the two")
        return url
