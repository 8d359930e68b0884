"""What deleting an experiment would remove, counted before anybody asks for it."""

from typing import NamedTuple

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session, aliased

from backend.storage.tables import Artifact, MetricPoint, Run, RunFile, Series


class Contents(NamedTuple):
    """How much an experiment holds; ``files`` and ``n_bytes`` count what nothing else refers to."""

    points: int
    checkpoints: int
    samples: int
    files: int
    n_bytes: int
    shared_files: int


def contents(session: Session, experiment_id: str) -> Contents:
    """Count the rows and files of an experiment."""
    of_it = Run.experiment_id == experiment_id
    points = select(func.count()).select_from(MetricPoint).join(Series).join(Run).where(of_it)
    mine = select(RunFile.sha256).join(Run).where(of_it).distinct()
    other_file, other_run = aliased(RunFile), aliased(Run)
    elsewhere = exists().where(
        other_file.sha256 == Artifact.sha256, other_file.run_id == other_run.id, other_run.experiment_id != experiment_id
    )
    own = select(func.count(), func.coalesce(func.sum(Artifact.n_bytes), 0)).where(Artifact.sha256.in_(mine), ~elsewhere)
    files, n_bytes = session.execute(own).one()
    shared = session.scalars(select(func.count()).select_from(Artifact).where(Artifact.sha256.in_(mine), elsewhere)).one()
    counted = select(RunFile.kind, func.count()).join(Run).where(of_it).group_by(RunFile.kind)
    kinds = {row[0]: row[1] for row in session.execute(counted)}
    return Contents(session.scalars(points).one(), kinds.get("weights", 0), kinds.get("samples", 0), files, int(n_bytes), shared)
