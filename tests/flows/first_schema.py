"""The fixture of the first schema, put into a database of either kind."""

import shutil
import sqlite3
from pathlib import Path
from typing import Any

from alembic import command
from sqlalchemy import Engine, MetaData, Table, create_engine, select, text

from backend.storage.database import open_database
from backend.storage.migrate import _config

FOLDER = Path(__file__).parents[1] / "fixtures/first_schema"
DUMP = FOLDER / "database.sql"
Rows = dict[str, list[dict[str, Any]]]


def restore(database_url: str, home: Path) -> None:
    """Put rows and artifacts where a service at ``home`` looks for them; on Postgres into tables made by the first migration."""
    shutil.copytree(FOLDER / "artifacts", home / "artifacts")
    path = home / "first.db" if database_url.startswith("postgres") else Path(database_url.removeprefix("sqlite:///"))
    with sqlite3.connect(path) as connection:
        connection.executescript(DUMP.read_text())
    connection.close()
    if database_url.startswith("postgres"):
        _copy_to_postgres(path, database_url)


def rows_of(database_url: str, like: Rows | None = None) -> Rows:
    """Every row of every table, by table; of ``like``'s tables and columns alone if that is given."""
    engine = open_database(database_url)
    metadata = _reflected(engine)
    with engine.connect() as connection:
        found = {table.name: [dict(row) for row in connection.execute(_ordered(table)).mappings()] for table in metadata.sorted_tables}
    engine.dispose()
    if like is None:
        return found
    return {name: [{column: row[column] for column in rows[0]} for row in found[name]] if rows else [] for name, rows in like.items()}


def _copy_to_postgres(path: Path, database_url: str) -> None:
    source, target = create_engine(f"sqlite:///{path}"), open_database(database_url)
    with source.connect() as reader, target.begin() as writer:
        command.upgrade(_config(writer), "0001")
        tables = _reflected(target, writer).sorted_tables
        known = _reflected(source).tables
        for table in tables:
            rows = [dict(row) for row in reader.execute(select(known[table.name])).mappings()]
            if rows and table.name != "alembic_version":
                writer.execute(table.insert(), rows)
        for table in ("series", "run_event"):
            # Numbers given by hand do not move the sequence that the next ones come from.
            writer.execute(text(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"))
    source.dispose()
    target.dispose()


def _reflected(engine: Engine, connection: Any = None) -> MetaData:
    metadata = MetaData()
    metadata.reflect(connection or engine)
    return metadata


def _ordered(table: Table) -> Any:
    return select(table).order_by(*table.primary_key.columns)
