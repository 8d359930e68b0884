"""How an engine is opened."""

from typing import Any

import pytest
from sqlalchemy import Engine, event

from backend.storage.database import NETWORK_PATIENCE, open_database


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
