"""Reading a backup: everything that the file says is checked before any of it is believed."""

import hashlib
import json
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack
from io import BufferedReader
from itertools import islice
from pathlib import Path
from typing import Any, Self, cast

from pydantic import ValidationError

from backend.storage.backup_file import MANIFEST, MEMBER, BackupError, Manifest, artifact_member, table_member


class BackupReader:
    """An open backup whose manifest and tables are whole; use it in a ``with`` block."""

    def __init__(self, source: Path) -> None:
        """Open a backup and check it.

        Raises:
            BackupError: if it is none, was cut off, or a table is damaged.
        """
        self._source = source
        with ExitStack() as stack:
            try:
                self._tar = stack.enter_context(tarfile.open(source, "r:"))
                self._members = self._read_members()
                self.manifest = self._read_manifest()
                self._check_tables()
            except tarfile.TarError as error:
                raise BackupError(f"{source} is no whole tar file ({error}). Use another backup") from error
            stack.pop_all()  # Whoever made this closes it.

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._tar.close()

    def artifacts(self) -> list[str]:
        """The SHA-256 of every artifact in the file."""
        return [match["sha256"] for name in self._members if (match := MEMBER.fullmatch(name)) and match["sha256"]]

    def extract(self, sha256: str, to: Path) -> bool:
        """Copy an artifact to a file; whether its bytes are those of its name."""
        with to.open("wb") as file:
            shutil.copyfileobj(self._open(artifact_member(sha256)), file)
        return _digest(to.open("rb")) == sha256

    def batches(self, table: str, size: int = 1000) -> Iterator[list[dict[str, Any]]]:
        """The rows of a table, so many at a time."""
        lines = self._open(table_member(table))
        while batch := [json.loads(line) for line in islice(lines, size)]:
            yield batch

    def _read_members(self) -> dict[str, tarfile.TarInfo]:
        """The members by name. Nothing is ever written under a name that the file gives."""
        members: dict[str, tarfile.TarInfo] = {}
        for member in self._tar:
            if not member.isreg() or MEMBER.fullmatch(member.name) is None or member.name in members:
                raise BackupError(f"{self._source} holds {member.name!r}, which no backup does. Use a file that `tauscope backup` wrote")
            members[member.name] = member
        return members

    def _read_manifest(self) -> Manifest:
        if MANIFEST not in self._members:
            raise BackupError(f"{self._source} has no {MANIFEST}: it is no backup, or was cut off. Use another one")
        try:
            return Manifest.model_validate_json(self._open(MANIFEST).read())
        except ValidationError as error:
            raise BackupError(f"{self._source} has a {MANIFEST} that this version cannot read. Use the version that wrote it") from error

    def _check_tables(self) -> None:
        for table, entry in self.manifest.tables.items():
            name = table_member(table)
            if name not in self._members or _digest(self._open(name)) != entry.sha256:
                raise BackupError(f"{self._source}: table {table} is missing or damaged. Use another backup")

    def _open(self, name: str) -> BufferedReader:
        file = self._tar.extractfile(self._members[name])
        assert file is not None  # Only regular files are members.
        return cast(BufferedReader, file)


def _digest(file: BufferedReader) -> str:
    with file:
        return hashlib.file_digest(file, "sha256").hexdigest()
