"""What the tests of a supervisor with a child that counts do with its one tiny run."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from backend.storage.flush import read_points
from backend.storage.tables import Run
from tests.worker.fake_child import value
from worker.settings import WorkerSettings
from worker.supervisor import Supervisor, open_services

Sessions = sessionmaker[Session]
AddRun = Callable[..., str]
Fault = Callable[..., None]
STEPS = 60
WHOLE = [(step, value(step)) for step in range(10, STEPS + 1, 10)]


@contextmanager
def hurried(settings: WorkerSettings, **patience: float) -> Iterator[Supervisor]:
    """A supervisor whose patience runs out soon."""
    supervisor = Supervisor(open_services(settings.model_copy(update=patience)))
    yield supervisor
    supervisor.close()
    supervisor.services.close()


def the_run(sessions: Sessions) -> Run:
    with sessions() as session:
        return session.scalars(select(Run)).one()


def change(sessions: Sessions, **values: object) -> None:
    with sessions.begin() as session:
        session.execute(update(Run).values(**values))


def steps(sessions: Sessions) -> list[tuple[int, float | None]]:
    with sessions() as session:
        return [(point.step, point.value) for point in read_points(session, "run-1") if point.metric == "f_mem"]


def serve_until_over(supervisor: Supervisor, sessions: Sessions) -> Run:
    for _ in range(20):
        supervisor.serve("run-1")
        if the_run(sessions).state not in {"queued", "running"}:
            break
        change(sessions, lease_until=0.0)
    return the_run(sessions)
