"""Onsets, last values and forecast of a run, from all its points in the database: the same whoever computes them, and when."""

from sqlalchemy.orm import Session

from backend.storage.announcements import announce_warning
from backend.storage.flush import read_points, write_summary
from backend.storage.tables import Run
from backend.storage.verdicts import request_stop_by_policy, settled_step
from tauscope.specs import KINDS
from tauscope.specs.stopping import BudgetPolicy
from worker.forecasting import record_forecast


def record_summary(session: Session, run_id: str) -> bool:
    """Compute what a run's points amount to in the transaction that brought them: onsets, markers, last values, forecast.

    Returns:
        Whether the run's policy, with these points, has asked the run to stop.
    """
    # SciPy loads slowly, and only a worker with points needs it.
    from tauscope.analysis.stopping import confirmed_warnings, stops, verdict
    from tauscope.analysis.summary import find_markers, summarize_points

    session.flush()
    document = session.get_one(Run, run_id, populate_existing=True).spec
    spec, points = KINDS[document["kind"]].model_validate(document), read_points(session, run_id)
    onsets, final = summarize_points(spec, points)
    write_summary(session, run_id, onsets, final, find_markers(spec, points))
    record_forecast(session, run_id, spec, points, onsets["tau_mem"])
    settled = settled_step(session, run_id)
    for code, words in confirmed_warnings(spec, points, settled=settled).items():
        announce_warning(session, run_id, code=code, text=words)
    if isinstance(spec.stopping, BudgetPolicy):
        return False
    found = verdict(spec, points, settled=settled)
    return found is not None and stops(spec, found) and request_stop_by_policy(session, run_id, found)
