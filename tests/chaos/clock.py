"""Clocks that step. Where a process or SQLite asks for the time, it is told it by so many seconds off as an order file says.

``time.monotonic`` stays as it is, as on a machine whose clock is set.
"""

import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Engine, event

HOST = "TAUSCOPE_CHAOS_HOST_CLOCK"
DATABASE = "TAUSCOPE_CHAOS_DATABASE_CLOCK"
REREAD_SECONDS = 0.05
UNIX_EPOCH_JULIAN = 2440587.5

# Postgres finds this function before its own, because the search path names its own schema last.
POSTGRES_SETUP = """
CREATE SCHEMA chaos;
CREATE TABLE chaos.clock (seconds float8 NOT NULL);
INSERT INTO chaos.clock VALUES (0);
CREATE FUNCTION chaos.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS
    'SELECT pg_catalog.clock_timestamp() + (SELECT seconds FROM chaos.clock) * interval ''1 second''';
ALTER DATABASE postgres SET search_path = public, chaos, pg_catalog
"""

_real_time = time.time


def obey_orders() -> None:
    """Let this process's clock, and SQLite's wherever it opens a database, follow the order files that the environment names."""
    off = _offset(Path(os.environ[HOST]))
    time.time = lambda: _real_time() + off()
    if order := os.environ.get(DATABASE):
        database_off = _offset(Path(order))
        event.listen(Engine, "connect", lambda connection, record: _replace_julianday(connection, database_off))


def _replace_julianday(connection: object, off: Callable[[], float]) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.create_function("julianday", 1, lambda when: UNIX_EPOCH_JULIAN + (_real_time() + off()) / 86400)


def _offset(order: Path) -> Callable[[], float]:
    """The seconds in the file, 0 while there is none, read again every now and then."""
    known = (float("-inf"), 0.0)

    def read() -> float:
        nonlocal known
        if time.monotonic() - known[0] > REREAD_SECONDS:
            known = (time.monotonic(), float(order.read_text() or 0) if order.exists() else 0.0)
        return known[1]

    return read
