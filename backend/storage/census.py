"""How many runs wait and compute, and which workers are there."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.storage.database import db_now
from backend.storage.tables import Artifact, Run, Worker

FORGOTTEN_AFTER = 3600.0  # Seconds of silence after which a worker is no longer listed.


def count_by_state(session: Session) -> dict[str, int]:
    """How many runs are in each state."""
    rows = session.execute(select(Run.state, func.count()).group_by(Run.state))
    return {state: count for state, count in rows}  # noqa: C416 - a Row is no plain pair to the type checker


def workers(session: Session) -> list[Worker]:
    """The workers heard of lately, by name."""
    return list(session.scalars(select(Worker).where(Worker.seen_at > db_now() - FORGOTTEN_AFTER).order_by(Worker.name)))


def artifact_bytes(session: Session) -> int:
    """The size of all artifacts, each counted once."""
    return int(session.scalars(select(func.coalesce(func.sum(Artifact.n_bytes), 0))).one())


def server_time(session: Session) -> float:
    """The database's clock, in Unix seconds."""
    return session.scalars(select(db_now())).one()
