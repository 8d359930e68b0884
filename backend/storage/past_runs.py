"""Finished runs of a data set with the curves of their probes, to calibrate warnings on."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Text, cast, func, or_, select
from sqlalchemy.orm import Session

from backend.storage.curves import Columns, run_curves
from backend.storage.tables import Run, Series
from tauscope.contracts.runs import RunState

REMEMBERED = 200  # The newest of a data set; each has a few thousand points.


class FinishedRun(NamedTuple):
    """A finished run: its spec, its onsets, and the asked-for series, columnar."""

    spec: dict[str, Any]
    onsets: dict[str, Any]
    series: dict[str, Columns]


class Version(NamedTuple):
    """Changes whenever a run of the data set finishes, is measured once more, or is deleted."""

    runs: int
    flushes: int
    newest: float | None


def dataset_versions(session: Session) -> dict[str, Version]:
    """Every data set that a run finished on, with what tells whether its finished runs are still the same."""
    name = _dataset().label("name")
    counted = select(name, func.count(), func.coalesce(func.sum(Run.seq), 0), func.max(Run.updated_at))
    rows = session.execute(counted.where(_finished(), name.is_not(None)).group_by(name).order_by(name))
    return {row[0]: Version(int(row[1]), int(row[2]), row[3]) for row in rows}


def finished_runs(session: Session, dataset: str, prefixes: Sequence[str]) -> list[FinishedRun]:
    """The newest finished runs on a data set, newest first, with f_mem and the series whose names begin so."""
    query = select(Run.id, Run.spec, Run.onsets).where(_finished(), _dataset() == dataset)
    rows = session.execute(query.order_by(Run.updated_at.desc(), Run.id).limit(REMEMBERED)).all()
    named = or_(Series.metric == "f_mem", *(Series.metric.startswith(prefix, autoescape=True) for prefix in prefixes))
    metrics = session.scalars(select(Series.metric).where(named).distinct()).all()
    found = run_curves(session, [row.id for row in rows], metrics)
    return [FinishedRun(row.spec, row.onsets, found.get(row.id, {})) for row in rows]


def _dataset() -> Any:
    return cast(Run.spec[("dataset", "name")].as_string(), Text)


def _finished() -> Any:
    return Run.state == RunState.FINISHED.value
