"""Restore a backup into an empty database: ``python -m backend.storage.restore FILE.tar``."""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, MetaData, func, select, text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from backend.storage import migrate
from backend.storage.artifacts import ArtifactStore
from backend.storage.backup_file import LEFT_OUT, BackupError, read_arguments, read_settings
from backend.storage.backup_reader import BackupReader
from backend.storage.claims import add_event
from backend.storage.database import open_database
from backend.storage.settings import StorageSettings
from backend.storage.tables import Base, Evaluation, RemeasuredStep, Run
from tauscope.contracts.runs import TERMINAL_STATES, RunState

# A worker that was forgotten and still runs holds a fencing token that was given out after the backup; none may be given out twice.
EPOCH_GAP = 1000


def restore(engine: Engine, store: ArtifactStore, source: Path, work_folder: Path) -> tuple[str, ...]:
    """Restore artifacts, then all rows in one transaction, so that no row appears before its file.

    Runs that were not over are left without lease or worker, and go on from their checkpoints.

    Returns:
        What could not be restored whole, in words; nothing if all is there.

    Raises:
        BackupError: if the database is not empty, or the file is no whole backup; nothing is written then.
    """
    with BackupReader(source) as backup:
        if backup.manifest.revision not in migrate.revisions():
            raise BackupError(f"the backup has schema {backup.manifest.revision}, which this version does not know. Upgrade Tauscope first")
        with engine.begin() as connection:
            _check_empty(connection)
        damaged = _restore_artifacts(backup, store, work_folder)
        with engine.begin() as connection:
            _restore_rows(connection, backup)
    return (*map(str, backup.manifest.missing), *damaged)


def _check_empty(connection: Connection) -> None:
    for table in _tables(connection).sorted_tables:
        if table.name not in LEFT_OUT and connection.execute(select(table).limit(1)).first() is not None:
            raise BackupError(
                f"the database is not empty: table {table.name} has rows. Set TAUSCOPE_HOME, or TAUSCOPE_DATABASE_URL, to a new one"
            )


def _restore_artifacts(backup: BackupReader, store: ArtifactStore, work_folder: Path) -> list[str]:
    damaged = []
    with tempfile.TemporaryDirectory(prefix="restore-", dir=work_folder) as folder:
        part = Path(folder) / "artifact"
        for sha256 in backup.artifacts():
            if backup.extract(sha256, part):
                store.put(part)
            else:
                damaged.append(f"artifact {sha256} is damaged in the backup")
    return damaged


def _restore_rows(connection: Connection, backup: BackupReader) -> None:
    migrate.lock(connection)
    _check_empty(connection)  # Again: now nobody else can write.
    _tables(connection).drop_all(connection)
    migrate.migrate(connection, backup.manifest.revision)
    for table in _tables(connection).sorted_tables:
        for rows in backup.batches(table.name) if table.name in backup.manifest.tables else ():
            connection.execute(table.insert(), rows)
    migrate.migrate(connection, "head")
    _set_sequences(connection)
    with Session(connection) as session:
        _release_all(session, backup.manifest.created_at)
        session.flush()


def _tables(connection: Connection) -> MetaData:
    """Those of our tables that there are, as they are at this revision; others in the same database are none of our business."""
    found = MetaData()
    ours = {*Base.metadata.tables, "alembic_version"}
    found.reflect(connection, only=lambda name, _: name in ours)
    return found


def _release_all(session: Session, at: float) -> None:
    """Nobody computes in a restored database: whatever was claimed waits to be claimed again."""
    unsynced = {"synchronize_session": False}
    free: dict[str, Any] = {"lease_until": 0.0, "enqueued_at": 0.0, "worker": None}
    session.execute(update(Run).where(Run.state == RunState.RUNNING).values(state=RunState.QUEUED), execution_options=unsynced)
    session.execute(update(Run).values(steps_per_second=None, epoch=Run.epoch + EPOCH_GAP, **free), execution_options=unsynced)
    for work in (Evaluation, RemeasuredStep):
        session.execute(update(work).values(epoch=work.epoch + EPOCH_GAP, **free), execution_options=unsynced)
    for run_id, seq in session.execute(select(Run.id, Run.seq).where(Run.state.not_in(TERMINAL_STATES))).all():
        add_event(session, run_id, seq, "restored", f"from a backup of Unix time {at:.0f}")


def _set_sequences(connection: Connection) -> None:
    """Let Postgres count on from the restored ids; SQLite does by itself."""
    if connection.dialect.name != "postgresql":
        return
    for table in Base.metadata.sorted_tables:
        column = table.autoincrement_column
        if column is not None:
            following = (connection.scalar(select(func.max(column))) or 0) + 1
            sequence = {"table": table.name, "column": column.name, "following": following}
            connection.execute(text("SELECT setval(pg_get_serial_sequence(:table, :column), :following, false)"), sequence)


def main(arguments: Sequence[str]) -> int:
    """Restore into what the environment names; 1 if an artifact is not whole, 2 if nothing was restored."""
    source = read_arguments(arguments, "python -m backend.storage.restore")
    try:
        faults = _restore(read_settings(), source)
    except OperationalError as error:
        sys.stderr.write(f"Nothing was restored: the database does not answer: {error.orig}. Start it, or mend TAUSCOPE_DATABASE_URL\n")
        return 2
    except (BackupError, OSError) as error:
        sys.stderr.write(f"Nothing was restored: {error}\n")
        return 2
    for fault in faults:
        sys.stderr.write(f"Not restored: {fault}\n")
    sys.stdout.write("Restored. Start the service\n")
    return 1 if faults else 0


def _restore(settings: StorageSettings, source: Path) -> tuple[str, ...]:
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    migrate.make_folder(settings.database_url)
    engine = open_database(settings.database_url)
    try:
        return restore(engine, ArtifactStore(settings.artifacts_url), source, settings.home)
    finally:
        engine.dispose()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
