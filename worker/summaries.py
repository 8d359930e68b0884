"""Onsets and last values of a run, from all its points in the database: the same whoever computes them, and when."""

from sqlalchemy.orm import Session

from backend.storage.flush import read_points, write_summary
from backend.storage.tables import Run
from tauscope.specs import KINDS


def record_summary(session: Session, run_id: str) -> None:
    """Compute a run's onsets and last values in the transaction that brought points, so that neither is ever without the other."""
    from tauscope.analysis.summary import find_markers, summarize_points  # SciPy loads slowly, and only a worker with points needs it.

    session.flush()
    spec = session.get_one(Run, run_id, populate_existing=True).spec
    model, points = KINDS[spec["kind"]].model_validate(spec), read_points(session, run_id)
    onsets, final = summarize_points(model, points)
    write_summary(session, run_id, onsets, final, find_markers(model, points))
