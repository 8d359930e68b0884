"""Fixtures of the worker's tests: a migrated database, and runs in it."""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Engine, update
from sqlalchemy.orm import Session, sessionmaker

from backend.storage.database import db_now, open_database, session_factory
from backend.storage.tables import Experiment, Run

AddRun = Callable[..., str]


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = open_database(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def sessions(engine: Engine) -> sessionmaker[Session]:
    return session_factory(engine)


@pytest.fixture
def add_run(sessions: sessionmaker[Session]) -> AddRun:
    """Insert a run of its own experiment; keywords replace its columns."""

    def add(run_id: str = "run-1", **columns: object) -> str:
        values = {"steps": 100, "cost": 10.0, "spec": {"kind": "image_ddpm"}, "params": {}, "label": "", "index": 0} | columns
        with sessions.begin() as session:
            session.add(Experiment(id=f"of-{run_id}", name="test", sweep={}, code_version="test"))
            session.flush()
            session.add(Run(id=run_id, experiment_id=f"of-{run_id}", **values))
        return run_id

    return add


@pytest.fixture
def expire_lease(sessions: sessionmaker[Session]) -> Callable[[str], None]:
    """Let a run's lease run out, as if its worker had been silent for long."""

    def expire(run_id: str) -> None:
        with sessions.begin() as session:
            session.execute(update(Run).where(Run.id == run_id).values(lease_until=db_now() - 1))

    return expire
