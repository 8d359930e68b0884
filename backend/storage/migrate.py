"""Bring a database to the newest schema: ``python -m backend.storage.migrate``."""

from pathlib import Path

import structlog
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, make_url, text

from backend.storage.database import open_database
from backend.storage.settings import StorageSettings

_LOCK = 0x7461_7573  # Any number that nothing else on the server locks.

log = structlog.get_logger()


def upgrade(url: str) -> None:
    """Create or upgrade the schema in one transaction. Safe when several processes start at once: one works, the rest wait."""
    make_folder(url)
    engine = open_database(url)
    try:
        with engine.begin() as connection:
            lock(connection)
            migrate(connection, "head")
    finally:
        engine.dispose()


def lock(connection: Connection) -> None:
    """Let nobody else change the schema until this transaction ends; on SQLite nobody can anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


def migrate(connection: Connection, revision: str) -> None:
    """Bring the schema up to a revision, in the connection's transaction."""
    command.upgrade(_config(connection), revision)


def revisions() -> set[str]:
    """Every revision that this version knows."""
    return {script.revision for script in ScriptDirectory.from_config(_config(None)).walk_revisions()}


def is_current(engine: Engine) -> bool:
    """Whether the database has the newest schema."""
    with engine.connect().execution_options(read_only=True) as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    return current == ScriptDirectory.from_config(_config(None)).get_current_head()


def _config(connection: Connection | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def make_folder(url: str) -> None:
    """Make the folder of a SQLite file."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True, mode=0o700)


def main() -> None:
    """Upgrade the database that the environment names."""
    settings = StorageSettings()
    upgrade(settings.database_url)
    log.info("database_upgraded", database=make_url(settings.database_url).render_as_string(hide_password=True))


if __name__ == "__main__":
    main()
