"""Onsets and last values of a run, from all its points in the database: the same whoever computes them, and when."""

from sqlalchemy.orm import Session, sessionmaker

from backend.storage.flush import read_points, write_summary
from backend.storage.reading import reading
from backend.storage.tables import Run
from tauscope.specs import KINDS


def record_summary(sessions: sessionmaker[Session], run_id: str) -> None:
    """Compute a run's onsets and last values and write them to its row, again if points came meanwhile."""
    from tauscope.analysis.summary import summarize_points  # SciPy loads slowly, and only a worker with points needs it.

    written = False
    while not written:
        with reading(sessions) as session:
            run = session.get(Run, run_id)
            if run is None:
                return  # Deleted meanwhile.
            points = read_points(session, run_id)
        onsets, final = summarize_points(KINDS[run.spec["kind"]].model_validate(run.spec), points)
        with sessions.begin() as session:
            written = write_summary(session, run_id, run.seq, onsets, final)
