"""How an engine is opened."""

import json
import math
from typing import Any

import pytest
from sqlalchemy import Engine, event

from backend.storage.database import NETWORK_PATIENCE, open_database, read_json


class NotConnectedError(Exception):
    """Raised in place of a connection."""


def arguments(engine: Engine) -> dict[str, Any]:
    """What the driver would be given."""
    given: dict[str, Any] = {}

    def note(_dialect: object, _record: object, _args: object, parameters: dict[str, Any]) -> None:
        given.update(parameters)
        raise NotConnectedError

    event.listen(engine, "do_connect", note)
    with pytest.raises(NotConnectedError):
        engine.connect()
    return given


def test_a_silent_network_is_noticed_within_seconds() -> None:
    given = arguments(open_database("postgresql+psycopg://tauscope@lab:5432/tauscope"))
    assert {name: given[name] for name in NETWORK_PATIENCE} == NETWORK_PATIENCE
    assert given["connect_timeout"] == 5 and given["tcp_user_timeout"] == 15_000


def test_what_the_address_says_of_the_network_is_kept() -> None:
    given = arguments(open_database("postgresql+psycopg://tauscope@lab/tauscope?connect_timeout=60&keepalives_idle=99"))
    assert (given["connect_timeout"], given["keepalives_idle"], given["keepalives_count"]) == ("60", "99", 3)


@pytest.mark.parametrize("database_kind", ["postgres"])
def test_postgres_takes_these_arguments(database_url: str) -> None:
    engine = open_database(database_url)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT 1").scalar() == 1
    engine.dispose()


@pytest.mark.parametrize(
    "text", ['{"a": [1, 2.5, null, true], "b": "τ"}', '["half of a pair: \\ud800"]', "[18446744073709551615, -1e-300]"]
)
def test_a_json_column_reads_as_the_standard_library_reads_it(text: str) -> None:
    assert read_json(text) == json.loads(text)


def test_a_number_that_json_does_not_know_is_read_all_the_same() -> None:
    assert math.isnan(read_json('{"value": NaN}')["value"])
