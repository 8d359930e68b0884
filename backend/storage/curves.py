"""Measured points, columnar, and what has changed since a reader last looked."""

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Row, Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from backend.storage.cursor import Mark
from backend.storage.tables import Attempt, MetricPoint, Run, RunEvent, Series
from tauscope.contracts.points import Point

COLUMNS = ("step", "value", "low", "high", "count", "reason")

Columns = dict[str, list[Any]]
"""A series as ``tauscope.contracts.experiments.Series`` lays it out."""


def fingerprint(session: Session, experiment_id: str) -> tuple[int, int, int]:
    """Three numbers that change whenever any run of the experiment does; (0, 0, 0) where there is none."""
    query = select(func.count(), func.coalesce(func.sum(Run.epoch), 0), func.coalesce(func.sum(Run.seq), 0))
    n_runs, epochs, flushes = session.execute(query.where(Run.experiment_id == experiment_id)).one()
    return int(n_runs), int(epochs), int(flushes)


def marks(session: Session, experiment_id: str) -> tuple[Mark, ...]:
    """Where each run of an experiment stands, in run order."""
    query = select(Run.epoch, Run.seq).where(Run.experiment_id == experiment_id).order_by(Run.index)
    return tuple(Mark(epoch, seq) for epoch, seq in session.execute(query))


def run_curves(session: Session, run_ids: Sequence[str], metrics: Sequence[str] | None) -> dict[str, dict[str, Columns]]:
    """Every series of these runs, or those of the named metrics: run id to metric to columns."""
    query = _points(Series.run_id).where(Series.run_id.in_(run_ids))
    if metrics is not None:
        query = query.where(Series.metric.in_(metrics))
    curves: dict[str, dict[str, Columns]] = {}
    for (run_id, metric), columns in _columnar(
        session.connection().execute(query.order_by(Series.run_id, Series.metric, MetricPoint.step)), 2
    ):
        curves.setdefault(run_id, {})[metric] = columns
    return curves


def points_of(metric: str, columns: Columns) -> list[Point]:
    """The points of a stored series; they were validated when they came in."""
    rows = zip(*columns.values(), strict=True)
    return [Point.model_construct(metric=metric, **dict(zip(columns, row, strict=True))) for row in rows]


def points_since(session: Session, run_id: str, seq: int) -> dict[str, Columns]:
    """The points of a run that later flushes than ``seq`` brought, by metric."""
    query = _points().where(Series.run_id == run_id, MetricPoint.seq > seq).order_by(Series.metric, MetricPoint.step)
    return {metric: columns for (metric,), columns in _columnar(session.execute(query), 1)}


def rewound_to(session: Session, run_id: str, seen: Mark) -> int | None:
    """The earliest step that the run went back to after ``seen``, every point beyond it deleted; ``None`` if it did not."""
    damaged = exists().where(RunEvent.run_id == run_id, RunEvent.name == "checkpoint_damaged", RunEvent.seq > seen.seq)
    later = or_(Attempt.epoch > seen.epoch, and_(Attempt.epoch == seen.epoch, damaged))
    return session.scalar(select(func.min(Attempt.from_step)).where(Attempt.run_id == run_id, later))


def _points(*first: Any) -> Select[Any]:
    columns = [getattr(MetricPoint, name) for name in COLUMNS]
    return select(*first, Series.metric, *columns).join(MetricPoint, MetricPoint.series_id == Series.id)


def _columnar(rows: Iterable[Row[Any]], n_keys: int) -> Iterable[tuple[tuple[str, ...], Columns]]:
    """Turn rows that are sorted by their first ``n_keys`` values on their side, one group of equal keys at a time."""
    columns = list(zip(*rows, strict=True))
    start = 0
    for key, group in itertools.groupby(zip(*columns[:n_keys], strict=True)):
        stop = start + sum(1 for _ in group)
        yield key, {name: list(column[start:stop]) for name, column in zip(COLUMNS, columns[n_keys:], strict=True)}
        start = stop
