"""What a backup is: a tar file of artifacts, tables as JSON lines, and a manifest, which comes last and vouches for the rest."""

import re
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

MANIFEST = "backup.json"
MEMBER = re.compile(r"backup\.json|tables/(?P<table>[a-z_]+)\.jsonl|artifacts/(?P<sha256>[0-9a-f]{64})")
# Who computes is not worth keeping, and which revision a schema has is known from the manifest.
LEFT_OUT = frozenset({"worker", "alembic_version"})


class BackupError(Exception):
    """A backup cannot be made or restored; the message says why and what to do."""


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TableEntry(_Entry):
    """A table: how many rows, and the digest of its lines."""

    rows: int
    sha256: str


class MissingArtifact(_Entry):
    """An artifact that a run refers to and that the store did not give back whole."""

    sha256: str
    cause: str
    files: tuple[str, ...]

    def __str__(self) -> str:
        return f"{', '.join(self.files)}: {self.cause}"


class Manifest(_Entry):
    """What the file holds; ``created_at`` is Unix time by the database's clock, the moment that the tables show."""

    format: Literal[1] = 1
    revision: str
    code_version: str
    created_at: float
    tables: dict[str, TableEntry]
    artifacts: int
    missing: tuple[MissingArtifact, ...]


def table_member(table: str) -> str:
    """The name of a table in the tar file."""
    return f"tables/{table}.jsonl"


def artifact_member(sha256: str) -> str:
    """The name of an artifact in the tar file."""
    return f"artifacts/{sha256}"


def staged(folder: Path, table: str) -> Path:
    """A table's lines on their way into the tar file."""
    return folder / f"{table}.jsonl"
