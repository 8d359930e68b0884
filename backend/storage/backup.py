"""Back up the database and the artifacts into one file while the service runs: ``python -m backend.storage.backup FILE.tar``."""

import hashlib
import json
import os
import secrets
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alembic.migration import MigrationContext
from sqlalchemy import Engine, MetaData, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from backend.storage.artifacts import ArtifactCorruptError, ArtifactStore
from backend.storage.backup_file import (
    LEFT_OUT,
    MANIFEST,
    BackupError,
    Manifest,
    MissingArtifact,
    TableEntry,
    artifact_member,
    read_arguments,
    read_settings,
    staged,
    table_member,
)
from backend.storage.census import server_time
from backend.storage.database import open_database, session_factory
from backend.storage.reading import reading
from backend.storage.references import referenced
from backend.storage.settings import StorageSettings
from tauscope.version import code_version

_BATCH = 1000

Row = dict[str, Any]


@dataclass(frozen=True)
class Snapshot:
    """All tables at one moment, as files of JSON lines."""

    folder: Path
    tables: tuple[str, ...]
    revision: str
    at: float

    def rows(self, table: str) -> Iterator[Row]:
        """The rows of a table."""
        with staged(self.folder, table).open(encoding="utf-8") as lines:
            yield from map(json.loads, lines)

    def keep(self, table: str, wanted: Callable[[Row], bool]) -> None:
        """Leave only these rows in a table."""
        rows = [row for row in self.rows(table) if wanted(row)]
        _write_lines(staged(self.folder, table), rows)


def save(engine: Engine, store: ArtifactStore, target: Path) -> Manifest:
    """Write a backup to ``target``, which appears, or replaces the one there, only once it is whole and on disk.

    Rows are those of one moment. Artifacts are copied after it: one that was pruned since is left out with its row; one
    that is damaged or gone is named in the manifest, and the rest is saved.

    Raises:
        BackupError: if there is nothing to back up.
        OSError: if the file cannot be written or the store not be read.
    """
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    sessions = session_factory(engine)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as name:
        try:
            with part.open("xb") as file:
                part.chmod(0o600)
                with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
                    manifest = _fill(tar, _snapshot(sessions, Path(name)), sessions, store)
                file.flush()
                os.fsync(file.fileno())
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
    _sync_folder(target.parent)
    return manifest


def _snapshot(sessions: sessionmaker[Session], folder: Path) -> Snapshot:
    metadata = MetaData()
    with reading(sessions) as session:
        connection = session.connection()
        revision = MigrationContext.configure(connection).get_current_revision()
        if revision is None:
            raise BackupError("the database has no tables of Tauscope. Check TAUSCOPE_DATABASE_URL and TAUSCOPE_HOME")
        metadata.reflect(connection)
        tables = [table for table in metadata.sorted_tables if table.name not in LEFT_OUT]
        for table in tables:
            found = connection.execute(select(table), execution_options={"yield_per": _BATCH})
            _write_lines(staged(folder, table.name), (dict(row) for row in found.mappings()))
        return Snapshot(folder, tuple(table.name for table in tables), revision, server_time(session))


def _fill(tar: tarfile.TarFile, snapshot: Snapshot, sessions: sessionmaker[Session], store: ArtifactStore) -> Manifest:
    files: dict[str, list[str]] = {}
    for row in snapshot.rows("run_file"):
        files.setdefault(row["sha256"], []).append(f"run {row['run_id']} {row['path']}")
    for row in snapshot.rows("dataset"):
        if row["sha256"] is not None:
            files.setdefault(row["sha256"], []).append(f"data set {row['name']}")
    failures = {sha256: cause for sha256 in files if (cause := _add_artifact(tar, snapshot.folder, store, sha256))}
    pruned = {sha256 for sha256 in failures if not _referenced(sessions, sha256)}
    for table in ("run_file", "dataset"):
        snapshot.keep(table, lambda row: row["sha256"] not in pruned)
    snapshot.keep("artifact", lambda row: row["sha256"] in files and row["sha256"] not in pruned)
    manifest = Manifest(
        revision=snapshot.revision,
        code_version=code_version(),
        created_at=snapshot.at,
        tables={table: _add_table(tar, snapshot, table) for table in snapshot.tables},
        artifacts=len(files) - len(failures),
        missing=tuple(
            MissingArtifact(sha256=sha256, cause=cause, files=tuple(files[sha256]))
            for sha256, cause in failures.items()
            if sha256 not in pruned
        ),
    )
    path = snapshot.folder / MANIFEST
    path.write_text(manifest.model_dump_json(indent=1), encoding="utf-8")
    tar.add(path, MANIFEST, filter=_anonymous)
    return manifest


def _add_artifact(tar: tarfile.TarFile, folder: Path, store: ArtifactStore, sha256: str) -> str:
    """Copy an artifact, verified; why not, if not."""
    part = folder / "artifact"
    try:
        store.fetch(sha256, part)
    except ArtifactCorruptError as error:
        return str(error)
    tar.add(part, artifact_member(sha256), filter=_anonymous)
    return ""


def _add_table(tar: tarfile.TarFile, snapshot: Snapshot, table: str) -> TableEntry:
    path = staged(snapshot.folder, table)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    tar.add(path, table_member(table), filter=_anonymous)
    return TableEntry(rows=sum(1 for _ in snapshot.rows(table)), sha256=digest)


def _anonymous(info: tarfile.TarInfo) -> tarfile.TarInfo:
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    info.mode = 0o600
    return info


def _referenced(sessions: sessionmaker[Session], sha256: str) -> bool:
    with reading(sessions) as session:
        return bool(referenced(session, [sha256]))


def _write_lines(path: Path, rows: Iterator[Row] | Sequence[Row]) -> None:
    with path.open("w", encoding="utf-8") as lines:
        for row in rows:
            lines.write(json.dumps(row, separators=(",", ":")) + "\n")


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def main(arguments: Sequence[str]) -> int:
    """Back up what the environment names; 1 if an artifact is missing from the backup, 2 if there is none."""
    target = read_arguments(arguments, "python -m backend.storage.backup")
    try:
        manifest = _save(read_settings(), target)
    except OperationalError as error:
        sys.stderr.write(f"No backup was made: the database does not answer: {error.orig}. Start it, or mend TAUSCOPE_DATABASE_URL\n")
        return 2
    except (BackupError, OSError) as error:
        sys.stderr.write(f"No backup was made: {error}\n")
        return 2
    for missing in manifest.missing:
        sys.stderr.write(f"Missing from the backup: {missing}\n")
    rows = sum(table.rows for table in manifest.tables.values())
    sys.stdout.write(f"{target}: {rows:,} rows and {manifest.artifacts:,} artifacts\n")
    return 1 if manifest.missing else 0


def _save(settings: StorageSettings, target: Path) -> Manifest:
    engine = open_database(settings.database_url)
    try:
        return save(engine, ArtifactStore(settings.artifacts_url), target)
    finally:
        engine.dispose()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
