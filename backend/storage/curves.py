"""Measured points, columnar, and what has changed since a reader last looked."""

import itertools
import operator
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import CursorResult, Row, Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from backend.storage.cursor import Mark
from backend.storage.tables import Attempt, MetricPoint, Run, RunEvent, Series
from tauscope.contracts.points import Point

_ROWS_AT_ONCE = 10_000
COLUMNS = ("step", "value", "low", "high", "count", "reason")

Columns = dict[str, list[Any]]
"""A series as ``tauscope.contracts.experiments.Series`` lays it out."""


class Extent(NamedTuple):
    """How many points a series has, and the step of the last."""

    points: int
    last: int


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
    wanted = [Series.run_id.in_(run_ids), *([Series.metric.in_(metrics)] if metrics is not None else [])]
    names = {row.id: row for row in session.execute(select(Series.id, Series.run_id, Series.metric).where(*wanted))}
    # The series' names stay out of the rows, and the rows come in the order of the primary key: long curves are read much faster so.
    query = _points(MetricPoint.series_id).where(MetricPoint.series_id.in_(select(Series.id).where(*wanted)))
    found = session.connection().execute(query.order_by(MetricPoint.series_id, MetricPoint.step))
    curves: dict[str, dict[str, Columns]] = {}
    for series_id, columns in _columnar(_plain_rows(found)):
        curves.setdefault(names[series_id].run_id, {})[names[series_id].metric] = columns
    return {run_id: dict(sorted(series.items())) for run_id, series in curves.items()}


def extents(session: Session, run_ids: Sequence[str], metrics: Sequence[str]) -> dict[tuple[str, str], Extent]:
    """How long the named series of these runs are, by run and metric, without reading them."""
    query = select(Series.run_id, Series.metric, func.count(), func.max(MetricPoint.step))
    query = query.join(MetricPoint, MetricPoint.series_id == Series.id).where(Series.run_id.in_(run_ids), Series.metric.in_(metrics))
    return {(row[0], row[1]): Extent(row[2], row[3]) for row in session.execute(query.group_by(Series.id, Series.run_id, Series.metric))}


def stored_points(metric: str, columns: Columns) -> list[Point]:
    """The points of a stored series; they were validated when they came in."""
    rows = zip(*columns.values(), strict=True)
    return [Point.model_construct(metric=metric, **dict(zip(columns, row, strict=True))) for row in rows]


def points_since(session: Session, run_id: str, seq: int) -> dict[str, Columns]:
    """The points of a run that later flushes than ``seq`` brought, by metric."""
    query = _points(Series.metric).join(Series, Series.id == MetricPoint.series_id)
    rows = session.execute(query.where(Series.run_id == run_id, MetricPoint.seq > seq).order_by(Series.metric, MetricPoint.step))
    return dict(_columnar(rows))


def rewound_to(session: Session, run_id: str, seen: Mark) -> int | None:
    """The earliest step that the run went back to after ``seen``, every point beyond it deleted; ``None`` if it did not."""
    damaged = exists().where(RunEvent.run_id == run_id, RunEvent.name == "checkpoint_damaged", RunEvent.seq > seen.seq)
    later = or_(Attempt.epoch > seen.epoch, and_(Attempt.epoch == seen.epoch, damaged))
    return session.scalar(select(func.min(Attempt.from_step)).where(Attempt.run_id == run_id, later))


def _points(key: Any) -> Select[Any]:
    return select(key, *(getattr(MetricPoint, name) for name in COLUMNS))


def _plain_rows(found: CursorResult[Any]) -> Iterable[tuple[Any, ...]]:
    """The driver's own tuples: none of these columns is converted, and to wrap each row takes longer than to read it."""
    cursor = found.cursor
    assert cursor is not None
    return itertools.chain.from_iterable(iter(lambda: cursor.fetchmany(_ROWS_AT_ONCE), []))


def _columnar(rows: Iterable[Row[Any] | tuple[Any, ...]]) -> Iterable[tuple[Any, Columns]]:
    """Turn rows that are sorted by their first value on their side, one group of equal ones at a time."""
    for key, group in itertools.groupby(rows, key=operator.itemgetter(0)):
        _, *columns = zip(*group, strict=True)
        yield key, dict(zip(COLUMNS, map(list, columns), strict=True))
