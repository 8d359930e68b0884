"""The schema in the database is the schema in the tables."""

import subprocess
import sys

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, select, text

from backend.storage.claims import claim_next
from backend.storage.database import open_database, session_factory
from backend.storage.migrate import _config, is_current, upgrade
from backend.storage.tables import Base, Run


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


def test_runs_in_flight_survive_the_upgrade_from_the_first_schema(empty_database_url: str) -> None:
    engine = open_database(empty_database_url)
    with engine.begin() as connection:
        command.upgrade(_config(connection), "0001")
        connection.execute(text("INSERT INTO experiment (id, name, sweep, code_version) VALUES ('e', 'old', '{}', 'v1')"))
        connection.execute(text(_RUN_OF_THE_FIRST_SCHEMA))
    upgrade(empty_database_url)
    with session_factory(engine).begin() as session:
        assert session.scalars(select(Run.priority)).one() == 0
        assert session.scalars(select(Run.code_note)).one() == ""
        claim = claim_next(session, "one", 15)
        assert claim is not None and (claim.run_id, claim.epoch) == ("r", 4)
    engine.dispose()


_RUN_OF_THE_FIRST_SCHEMA = """
INSERT INTO run (id, experiment_id, "index", label, params, spec, steps, cost, state, desired, step, seconds, reason, epoch, seq, stalls,
    worker, lease_until, enqueued_at, checkpoint_step, onsets, final)
VALUES ('r', 'e', 0, '', '{}', '{}', 100, 1.0, 'running', 'run', 40, 1.0, '', 3, 9, 0, 'gone', 0.0, 0.0, NULL, '{}', '{}')
"""
