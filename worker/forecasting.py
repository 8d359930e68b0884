"""Foretells a run's tau_mem as its points arrive, and keeps what is new."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from backend.storage.flush import read_points
from backend.storage.forecasts import (
    earlier_runs,
    keep_forecast,
    last_kept,
    set_forecast,
    shown_forecast,
    unread_runs,
    write_trajectory,
)
from tauscope.contracts.onsets import Onset, OnsetStatus
from tauscope.contracts.points import Point
from tauscope.specs import KINDS, ExperimentSpec

WORTH_ANOTHER = 1.05  # A forecast is made anew when the run is so much further.


def record_forecast(session: Session, run_id: str, spec: ExperimentSpec, points: Sequence[Point], onset: Onset) -> None:
    """Record what the run's points teach, and foretell its tau_mem from them and from earlier runs of its domain.

    In the transaction that brought the points, after ``record_summary`` has written the onset.
    """
    from tauscope.analysis.forecast import Knowledge  # SciPy loads slowly, and only a worker with points needs it.
    from tauscope.analysis.forecast_score import materially_new
    from tauscope.analysis.trajectories import domain_of, trajectory_of

    run, domain = trajectory_of(spec, points, onset), domain_of(spec)
    write_trajectory(session, run_id, domain, run)
    if onset.status in {OnsetStatus.REACHED, OnsetStatus.BEFORE_FIRST}:
        set_forecast(session, run_id, None)
        return
    step = max((point.step for point in points), default=0)
    shown = shown_forecast(session, run_id)
    if shown is not None and step < WORTH_ANOTHER * shown.step:
        return
    _read_old_runs(session)
    made = Knowledge(earlier_runs(session, run_id, domain)).forecast(run, step=step)
    set_forecast(session, run_id, made)
    if materially_new(made, last_kept(session, run_id)):
        keep_forecast(session, run_id, made)


def _read_old_runs(session: Session) -> None:
    """Read the trajectories of runs that were measured before there were forecasts, a few at a time."""
    from tauscope.analysis.trajectories import domain_of, trajectory_of

    for run_id, document in unread_runs(session):
        spec = KINDS[str(document["kind"])].model_validate(document)
        write_trajectory(session, run_id, domain_of(spec), trajectory_of(spec, read_points(session, run_id), None))
