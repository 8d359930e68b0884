"""Engines and sessions for SQLite and Postgres, and the one clock that decides: the database's."""

import json
import sqlite3
import time
from typing import Any

import orjson
from sqlalchemy import Engine, Float, create_engine, event, make_url
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

BUSY_TIMEOUT_MS = 15_000
# libpq's, in seconds and, the last, in milliseconds. Without them a connection to a host that vanished is waited for for hours.
# A Unix socket ignores them.
NETWORK_PATIENCE = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}


class db_now(FunctionElement[float]):  # noqa: N801 - reads as the SQL function it is
    """Unix time in seconds by the database's clock; hosts' clocks differ and step."""

    type = Float()
    inherit_cache = True


@compiles(db_now, "sqlite")
def _sqlite_now(element: db_now, compiler: SQLCompiler, **kw: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(db_now, "postgresql")
def _postgres_now(element: db_now, compiler: SQLCompiler, **kw: Any) -> str:
    return "extract(epoch from clock_timestamp())::float8"


def open_database(url: str) -> Engine:
    """Open an engine. ``sqlite:///path`` (local disk only) or ``postgresql+psycopg://...``."""
    if url.startswith("sqlite"):
        patience = {"timeout": BUSY_TIMEOUT_MS / 1000, "check_same_thread": False}
        engine = create_engine(url, json_deserializer=read_json, connect_args=patience)
        event.listen(engine, "connect", _configure_sqlite)
        event.listen(engine, "begin", _begin_immediate)
        return engine
    pool = {"pool_pre_ping": True, "pool_size": 10, "max_overflow": 20}
    return create_engine(url, json_deserializer=read_json, connect_args=_notice_silence(url), **pool)


def read_json(text: str | bytes) -> Any:
    """A JSON column's value. A list of 1,000 runs reads 7,000 of them, for which the standard library takes 2.8 times as long;
    it reads what orjson refuses: half of a surrogate pair in a file's name, NaN."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return json.loads(text)


def _notice_silence(url: str) -> dict[str, int]:
    """What the address itself does not say of how long a silent network is borne."""
    return {name: value for name, value in NETWORK_PATIENCE.items() if name not in make_url(url).query}


def session_factory(engine: Engine) -> sessionmaker[Session]:
    """Sessions whose objects stay readable after commit."""
    return sessionmaker(engine, expire_on_commit=False)


def _configure_sqlite(connection: Any, record: Any) -> None:
    # The driver would open transactions by itself, too late and too weak; _begin_immediate opens them instead.
    connection.isolation_level = None
    for pragma in (f"busy_timeout={BUSY_TIMEOUT_MS}", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
    _keep_write_ahead_log(connection)


def _keep_write_ahead_log(connection: sqlite3.Connection) -> None:
    # Of several processes that open a new file at once one makes the switch; the others are refused at once, whatever the timeout.
    deadline = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _begin_immediate(connection: Any) -> None:
    # A reader that turns writer mid-transaction cannot wait for the lock; taking it at the start can.
    options = connection.get_execution_options()
    connection.exec_driver_sql("BEGIN" if options.get("read_only") else "BEGIN IMMEDIATE")
