"""A database that was used before is as good as new."""

from collections.abc import Callable

import psycopg
import pytest

from backend.storage.tables import Base
from tests.reused import ReusedDatabase

CHANGES = {
    "rows": "INSERT INTO experiment (id, name, sweep, code_version, created_at) VALUES ('e', 'n', '{}', 'c', 0)",
    "a sequence": "SELECT nextval(seqrelid::regclass) FROM pg_sequence",
    "a column": "ALTER TABLE run ADD COLUMN odd integer",
    "the revision": "UPDATE alembic_version SET version_num = '0001'",
    "a schema with a function": "CREATE SCHEMA odd; CREATE FUNCTION odd.one() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "no table": "DROP TABLE run_event",
}
ROWS = "SELECT " + " + ".join(f'(SELECT count(*) FROM "{table}")' for table in Base.metadata.tables)
SEQUENCES = "SELECT string_agg(concat(sequencename, last_value), ',' ORDER BY sequencename) FROM pg_sequences"


@pytest.fixture
def ask(postgres_server: str) -> Callable[[str, str], tuple[object, ...]]:
    def ask(name: str, query: str) -> tuple[object, ...]:
        with psycopg.connect(postgres_server.replace("/postgres?", f"/{name}?"), autocommit=True) as connection:
            cursor = connection.execute(query.encode())
            return (cursor.fetchone() or ()) if cursor.description else ()

    return ask


@pytest.mark.parametrize("change", CHANGES)
def test_nothing_that_a_test_changed_is_left_for_the_next(
    postgres_server: str, postgres_template: str, ask: Callable[[str, str], tuple[object, ...]], change: str
) -> None:
    reused = ReusedDatabase(postgres_server, postgres_template)
    first = reused.take()
    known = [ask(first, query) for query in (ROWS, SEQUENCES)]
    ask(first, CHANGES[change])
    reused.give_back(first)
    second = reused.take()
    assert [ask(second, query) for query in (ROWS, SEQUENCES)] == known
    assert reused.state(second)[0] == reused.state(postgres_template)[0]
    reused.give_back(second)


def test_who_is_still_connected_is_thrown_out_and_does_not_know_the_new_name(postgres_server: str, postgres_template: str) -> None:
    reused = ReusedDatabase(postgres_server, postgres_template)
    first = reused.take()
    address = postgres_server.replace("/postgres?", f"/{first}?")
    with psycopg.connect(address, autocommit=True) as left:
        reused.give_back(first)
        assert reused.take() != first
        with pytest.raises(psycopg.OperationalError):
            left.execute("SELECT 1")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(address)
