"""Transactions that only read, and see one moment of the database however many queries they make."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.orm import Session, sessionmaker


@contextmanager
def reading(sessions: sessionmaker[Session]) -> Iterator[Session]:
    """Open a read-only snapshot. On SQLite it never takes the write lock; on Postgres it is REPEATABLE READ."""
    with sessions() as session:
        if session.get_bind().dialect.name == "postgresql":
            session.connection(execution_options={"isolation_level": "REPEATABLE READ", "postgresql_readonly": True})
        else:
            session.connection(execution_options={"read_only": True})
        yield session
