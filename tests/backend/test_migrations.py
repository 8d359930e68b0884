"""The schema in the database is the schema in the tables."""

import subprocess
import sys

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from backend.storage.database import open_database
from backend.storage.migrate import is_current, upgrade
from backend.storage.tables import Base


def test_migrations_lead_to_exactly_the_tables(database_url: str) -> None:
    engine = open_database(database_url)
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), Base.metadata)
    engine.dispose()
    assert differences == []


def test_several_processes_may_upgrade_an_empty_database_at_once(empty_database_url: str) -> None:
    command = [sys.executable, "-W", "error", "-c", f"from backend.storage.migrate import upgrade; upgrade({empty_database_url!r})"]
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    errors = [process.communicate(timeout=60)[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, errors
    engine = open_database(empty_database_url)
    assert "run_event" in inspect(engine).get_table_names()
    assert is_current(engine)
    engine.dispose()


def test_an_empty_database_is_not_current(empty_database_url: str) -> None:
    engine = open_database(empty_database_url)
    assert not is_current(engine)
    engine.dispose()


def test_a_second_upgrade_changes_nothing(database_url: str) -> None:
    upgrade(database_url)
    engine = open_database(database_url)
    assert is_current(engine)
    engine.dispose()
