"""What a backup is: a tar file of artifacts, tables as JSON lines, and a manifest, which comes last and vouches for the rest."""

import argparse
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from backend.storage.settings import StorageSettings
from tauscope.specs import SpecError

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


def read_settings() -> StorageSettings:
    """Where everything is kept, by the environment.

    Raises:
        BackupError: naming the variable that is wrong.
    """
    try:
        return StorageSettings()
    except ValidationError as error:
        raise BackupError(str(SpecError.from_validation(error, prefix="TAUSCOPE"))) from error


def read_arguments(arguments: Sequence[str], program: str) -> Path:
    """The backup that the command line names; ends the process where it names none."""
    parser = argparse.ArgumentParser(prog=program)
    parser.add_argument("file", type=Path, help="the tar file")
    file: Path = parser.parse_args(arguments).file
    return file.absolute()
