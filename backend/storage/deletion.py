"""Deleting an experiment: its rows, and the artifacts that nothing else refers to."""

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from backend.storage.garbage import drop_unreferenced, lock_artifacts
from backend.storage.tables import Artifact, Experiment, Run, RunFile
from tauscope.contracts.runs import TERMINAL_STATES


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
    held = lock_artifacts(session, Artifact.sha256.in_(files))
    session.execute(delete(Experiment).where(Experiment.id == experiment_id))
    return drop_unreferenced(session, held)
