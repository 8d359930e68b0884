"""Fixtures shared by all tests: a real Postgres, and a fresh migrated database for each test."""

import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from backend.storage.migrate import upgrade
from tests.postgres import Postgres
from tests.reused import ReusedDatabase
from tests.throwaway import throwaway_folder

TESTS = Path(__file__).parent
TEMPLATE = "tauscope_template"

# What starts whole services and mostly waits comes first, then the longest that compute: no process is left alone with one at the end.
FIRST = ("chaos", "flows", "deployment", "launcher", "browser", "execution", "worker", "training", "science")

# Two test processes that each compute on all cores wait for one another, several times longer than either would take.
os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that take longest; within a folder everything keeps its order."""
    items.sort(key=_place)


def _place(item: pytest.Item) -> int:
    room = item.path.relative_to(TESTS).parts[0]
    return FIRST.index(room) if room in FIRST else len(FIRST)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a throwaway Postgres without a database name; it listens on a unix socket alone."""
    # Not pytest's folder: the server runs as another user, who must be able to reach it. With the folder the server ends, at once.
    with throwaway_folder("tauscope-pg-") as folder:
        assert folder is not None
        postgres = Postgres(folder)
        postgres.start()
        yield postgres.uri


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> str:
    """The name of a migrated database to copy from."""
    _execute(postgres_server, f"CREATE DATABASE {TEMPLATE}")
    upgrade(_address(postgres_server, TEMPLATE))
    return TEMPLATE


@pytest.fixture(scope="session")
def reused_postgres(postgres_server: str, postgres_template: str) -> ReusedDatabase:
    """The database that every test on Postgres finds empty."""
    return ReusedDatabase(postgres_server, postgres_template)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy from."""
    path = tmp_path_factory.mktemp("template") / "template.db"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(params=["sqlite", "postgres"])
def database_kind(request: pytest.FixtureRequest) -> str:
    """Tests that touch a database run on both kinds."""
    return str(request.param)


@pytest.fixture
def database_url(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A fresh database with the newest schema, on SQLite and on Postgres."""
    if database_kind == "sqlite":
        path = tmp_path / "test.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
    else:
        reused = request.getfixturevalue("reused_postgres")
        name = reused.take()
        yield _address(request.getfixturevalue("postgres_server"), name)
        reused.give_back(name)


@pytest.fixture
def empty_database_url(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A fresh database without any table."""
    if database_kind == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
    else:
        yield from _empty_postgres_database(request.getfixturevalue("postgres_server"))


@pytest.fixture
def other_database_url(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A fresh database without any table, of the other kind."""
    if database_kind == "postgres":
        yield f"sqlite:///{tmp_path / 'other' / 'tauscope.db'}"
    else:
        yield from _empty_postgres_database(request.getfixturevalue("postgres_server"))


def _empty_postgres_database(server: str) -> Iterator[str]:
    name = f"test_{uuid.uuid4().hex}"
    _execute(server, f"CREATE DATABASE {name}")
    yield _address(server, name)
    _execute(server, f"DROP DATABASE {name} WITH (FORCE)")


def _execute(server: str, statement: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(statement)


def _address(server: str, database: str) -> str:
    """Put the database's name into ``postgresql://user:@/postgres?host=/socket``."""
    head, _, query = server.partition("?")
    return f"{head.rpartition('/')[0]}/{database}?{query}".replace("postgresql://", "postgresql+psycopg://")
