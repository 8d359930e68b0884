"""The clocks that the campaign steps are the ones that the service goes by."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select

from backend.storage.database import db_now, open_database
from tests.chaos import clock
from tests.chaos.stacks import give_order
from tests.postgres import Postgres
from tests.throwaway import throwaway_folder

HOUR = 3600.0
_SHOW = """
import time
before = (time.time(), time.monotonic())
from tests.chaos.clock import obey_orders
obey_orders()
from sqlalchemy import select
from backend.storage.database import db_now, open_database
with open_database("sqlite://").connect() as connection:
    database = connection.scalar(select(db_now()))
print(time.time() - before[0], time.monotonic() - before[1], database - before[0])
"""


def test_a_process_and_sqlite_go_by_their_orders_and_waiting_by_neither(tmp_path: Path) -> None:
    host, database = tmp_path / "host", tmp_path / "database"
    give_order(host, str(-HOUR))
    give_order(database, str(HOUR))
    environment = {**os.environ, clock.HOST: str(host), clock.DATABASE: str(database)}
    shown = subprocess.run([sys.executable, "-c", _SHOW], env=environment, check=True, capture_output=True, text=True)
    steps = [float(word) for word in shown.stdout.split()]
    assert steps == pytest.approx([-HOUR, 0, HOUR], abs=60)


def test_postgres_goes_by_its_order() -> None:
    with throwaway_folder("tauscope-clock-") as folder:
        assert folder is not None
        postgres = Postgres(folder)
        postgres.start()
        with postgres.connect() as connection:
            connection.execute(clock.POSTGRES_SETUP)
            connection.execute("UPDATE chaos.clock SET seconds = 3600")
        engine = open_database(postgres.uri.replace("postgresql://", "postgresql+psycopg://"))
        with engine.connect() as connection:
            ahead = (
                connection.scalar(select(db_now()))
                - connection.exec_driver_sql("SELECT extract(epoch from pg_catalog.now())::float8").scalar()
            )
        engine.dispose()
        postgres.stop()
    assert ahead == pytest.approx(HOUR, abs=60)
