"""Forecasts as they were made, and what a new one may learn from."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Row, func, or_, select, update
from sqlalchemy.orm import Session, load_only

from backend.storage.flush import upsert
from backend.storage.tables import Forecast, Run, Trajectory
from tauscope.analysis.trajectories import Trajectory as SeenRun
from tauscope.contracts import forecasts
from tauscope.contracts.onsets import Onset
from tauscope.contracts.runs import TERMINAL_STATES

LEARNT_FROM = 300  # The newest runs of a data set; a forecast from so many takes a tenth of a second.
MOST_KEPT = 100  # Forecasts of one run.
JUDGED = 1000  # The newest runs that a calibration looks at.
UNREAD = 20  # Runs from before there were forecasts that are read at a time.


class Unread(NamedTuple):
    """A run whose trajectory is not known: it was measured before there were forecasts."""

    run_id: str
    spec: dict[str, Any]


def write_trajectory(session: Session, run_id: str, domain: str, run: SeenRun) -> None:
    """Record what the points of a run, as far as they go, can teach."""
    crossings = {str(level): tau for level, tau in run.crossings.items()}
    row = {"run_id": run_id, "domain": domain, "configuration": run.configuration, "n_train": run.n_train, "crossings": crossings}
    upsert(session, Trajectory, [row], replace=("domain", "configuration", "n_train", "crossings"))


def earlier_runs(session: Session, run_id: str, domain: str) -> list[SeenRun]:
    """The newest other runs of a domain, as far as each has come."""
    columns = (Trajectory.configuration, Trajectory.n_train, Trajectory.crossings, Run.onsets)
    query = select(*columns).join(Run, Run.id == Trajectory.run_id).where(Trajectory.domain == domain, Run.id != run_id)
    return [_seen(row) for row in session.execute(query.order_by(Run.id.desc()).limit(LEARNT_FROM))]


def _seen(row: Row[str, int, dict[str, Any], dict[str, Any]]) -> SeenRun:
    configuration, n_train, crossings, onsets = row
    onset = Onset.model_validate(onsets["tau_mem"]) if "tau_mem" in onsets else None
    return SeenRun(configuration, n_train, onset, {float(level): tau for level, tau in crossings.items()})


def unread_runs(session: Session) -> list[Unread]:
    """Some of the runs that were measured before there were forecasts, and have not been read since."""
    over = Run.state.in_(sorted(TERMINAL_STATES))  # Any other writes its own, and two that write each other's would wait for each other.
    query = select(Run.id, Run.spec).outerjoin(Trajectory).where(Trajectory.run_id.is_(None), Run.step > 0, over)
    return [Unread(*row) for row in session.execute(query.order_by(Run.id.desc()).limit(UNREAD))]


def shown_forecast(session: Session, run_id: str) -> forecasts.Forecast | None:
    """The forecast that a run's page shows now."""
    return _forecast(session.scalars(select(Run.forecast).where(Run.id == run_id)).one_or_none())


def last_kept(session: Session, run_id: str) -> forecasts.Forecast | None:
    """The last forecast of a run that was kept."""
    query = select(Forecast.document).where(Forecast.run_id == run_id).order_by(Forecast.step.desc()).limit(1)
    return _forecast(session.scalars(query).one_or_none())


def _forecast(document: dict[str, Any] | None) -> forecasts.Forecast | None:
    return None if document is None else forecasts.Forecast.model_validate(document)


def keep_forecast(session: Session, run_id: str, made: forecasts.Forecast) -> None:
    """Keep a forecast; one that was made at the same step before stays as it is, as does the record once it is full."""
    kept = session.scalars(select(func.count()).select_from(Forecast).where(Forecast.run_id == run_id)).one()
    if kept >= MOST_KEPT:
        return
    numbers = made.model_dump(include={"step", "version", "median", "low", "high"})
    upsert(session, Forecast, [{"run_id": run_id, **numbers, "document": made.model_dump(mode="json")}], replace=())


def set_forecast(session: Session, run_id: str, made: forecasts.Forecast | None) -> None:
    """What a run's page shows; nothing once tau_mem is measured."""
    document = made.model_dump(mode="json") if made is not None else None
    session.execute(update(Run).where(Run.id == run_id).values(forecast=document), execution_options={"synchronize_session": False})


def run_forecasts(session: Session, run_id: str) -> list[Forecast]:
    """Every kept forecast of a run, oldest first."""
    return list(session.scalars(select(Forecast).where(Forecast.run_id == run_id).order_by(Forecast.step)))


def forecasts_to_judge(session: Session, version: int) -> Sequence[Row[Forecast, Run, str]]:
    """The first and the last kept forecast by this version of the method of the newest runs that have one, in order of run and step.

    Between two checkpoints a run may pass tau_mem before anyone can know; what was said after that foretells nothing and is left out.
    """
    tau_mem = Run.onsets[("tau_mem", "value")].as_float()
    made = (Forecast.version == version, Forecast.median.is_not(None), or_(tau_mem.is_(None), Forecast.step < tau_mem))
    ends = select(Forecast.run_id, func.min(Forecast.step).label("first"), func.max(Forecast.step).label("last"))
    ends = ends.join(Run, Run.id == Forecast.run_id).where(*made)
    judged = ends.group_by(Forecast.run_id).order_by(Forecast.run_id.desc()).limit(JUDGED).subquery()
    query = select(Forecast, Run, Trajectory.configuration).join(Run, Run.id == Forecast.run_id)
    query = query.join(Trajectory, Trajectory.run_id == Run.id).join(judged, judged.c.run_id == Forecast.run_id)
    # The forecasts between them are many, and of no account here; what a judgement needs of a run is little of its row.
    query = query.where(Forecast.step.in_([judged.c.first, judged.c.last])).options(load_only(*_JUDGED_BY, raiseload=True))
    return session.execute(query.order_by(Forecast.run_id, Forecast.step)).all()


_JUDGED_BY = (Run.experiment_id, Run.label, Run.spec, Run.onsets)
