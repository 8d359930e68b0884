"""Deleting an experiment: its rows, and the artifacts that nothing else refers to."""

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from backend.storage.tables import Artifact, Experiment, Run, RunFile
from tauscope.contracts.runs import TERMINAL_STATES

_CHUNK = 500  # Databases bound the number of parameters of a statement.


class ExperimentBusyError(Exception):
    """A run of the experiment is waiting, computing or paused."""


def delete_experiment(session: Session, experiment_id: str) -> list[str]:
    """Delete an experiment's rows and return the artifacts that nothing refers to any more, for the store to drop.

    Raises:
        ExperimentBusyError: while a run waits, computes or is paused; stop it first.
    """
    active = Run.state.not_in(TERMINAL_STATES)
    if session.scalar(select(exists().where(Run.experiment_id == experiment_id, active))):
        raise ExperimentBusyError
    files = select(RunFile.sha256).join(Run).where(Run.experiment_id == experiment_id).distinct()
    # A worker that refers to one of these at this moment is waited for; the next statement sees what it wrote.
    held = list(session.scalars(select(Artifact.sha256).where(Artifact.sha256.in_(files)).with_for_update()))
    session.execute(delete(Experiment).where(Experiment.id == experiment_id))
    chunks = [held[start : start + _CHUNK] for start in range(0, len(held), _CHUNK)]
    return [sha256 for chunk in chunks for sha256 in _drop_unreferenced(session, chunk)]


def is_stored(session: Session, sha256: str) -> bool:
    """Whether anything still speaks of an artifact."""
    return session.get(Artifact, sha256) is not None


def _drop_unreferenced(session: Session, sha256s: list[str]) -> list[str]:
    unreferenced = ~exists().where(RunFile.sha256 == Artifact.sha256)
    return list(session.scalars(delete(Artifact).where(Artifact.sha256.in_(sha256s), unreferenced).returning(Artifact.sha256)))
