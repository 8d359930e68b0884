"""Onsets, last values and forecast of a run, from all its points in the database: the same whoever computes them, and when."""

from sqlalchemy.orm import Session

from backend.storage.flush import read_points, write_summary
from backend.storage.tables import Run
from tauscope.specs import KINDS
from worker.forecasting import record_forecast


def record_summary(session: Session, run_id: str) -> None:
    """Compute a run's onsets, last values and forecast in the transaction that brought points, so that none is ever without the others."""
    from tauscope.analysis.summary import summarize_points  # SciPy loads slowly, and only a worker with points needs it.

    session.flush()
    document = session.get_one(Run, run_id, populate_existing=True).spec
    spec, points = KINDS[document["kind"]].model_validate(document), read_points(session, run_id)
    onsets, final = summarize_points(spec, points)
    write_summary(session, run_id, onsets, final)
    record_forecast(session, run_id, spec, points, onsets["tau_mem"])
