"""Curves, columnar, without a model per point."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy.orm import Session

from backend.services.context import Context
from backend.services.curve_cache import CurveKey, Held, SeriesOfRun, extended
from backend.services.experiments import required
from backend.services.views import metrics_of
from backend.storage import curves as points
from backend.storage.cursor import Mark, format_cursor
from backend.storage.reading import reading
from backend.storage.tables import Run
from tauscope.analysis.thinning import thinned
from tauscope.version import source_version

_READ_FOR = 200  # Points a series that shorter answers are made from: a page of many runs asks for two lengths, and reads once.


@dataclass(frozen=True)
class CurvesQuery:
    """Which curves are asked for: all metrics where ``metrics`` is ``None``, every point where ``max_points`` is."""

    experiment_id: str
    metrics: tuple[str, ...] | None = None
    max_points: int | None = None


def curves_etag(context: Context, query: CurvesQuery, media_type: str) -> str:
    """Names the content of the curves without reading them: every flush of every run, and what was asked."""
    with reading(context.sessions) as session:
        marks = points.marks(session, query.experiment_id)
    basis = orjson.dumps([query.experiment_id, format_cursor(marks), query.metrics, query.max_points, media_type, source_version()])
    return f'"{hashlib.sha256(basis).hexdigest()[:32]}"'


def curves_json(context: Context, query: CurvesQuery) -> bytes:
    """``tauscope.contracts.experiments.Curves`` as JSON; the cursor is that of exactly these points.

    Raises:
        UnknownExperimentError: if there is no such experiment.
    """
    with reading(context.sessions) as session:
        runs = required(session, query.experiment_id).experiment.runs
        marks = points.marks(session, query.experiment_id)
        found = _bounded(context, session, query, runs, marks) if query.max_points else _complete(session, query, runs)
    document: dict[str, Any] = {
        "experiment_id": query.experiment_id,
        "cursor": format_cursor(marks),
        # Of all metrics, also where some are asked for: what else there is can be chosen without reading it.
        "metrics": {name: info.model_dump() for name, info in metrics_of(runs).items()},
        "runs": found,
    }
    return orjson.dumps(document)


def _complete(session: Session, query: CurvesQuery, runs: Sequence[Run]) -> dict[str, Any]:
    found = points.run_curves(session, [run.id for run in runs], query.metrics)
    return {run.id: found.get(run.id, {}) for run in runs}


def _bounded(context: Context, session: Session, query: CurvesQuery, runs: Sequence[Run], marks: Sequence[Mark]) -> dict[str, Any]:
    """Each run's thinned series. A run is read whole when it is first asked for or went back; later, what it measured since."""
    assert query.max_points is not None
    read = max(query.max_points, _READ_FOR)
    # In whichever order they are asked for: pages that show the same curves share one reading.
    metrics = tuple(sorted(set(query.metrics))) if query.metrics is not None else None
    current = {CurveKey(run.id, metrics, read): mark for run, mark in zip(runs, marks, strict=True)}
    answers = {key: _held(context, session, key, mark) for key, mark in current.items()}
    unknown = [key for key, held in answers.items() if held is None]
    found = points.run_curves(session, [key.run_id for key in unknown], query.metrics) if unknown else {}
    for key in unknown:
        answers[key] = _remember(context, key, current[key], _thinned(found.get(key.run_id, {}), read))
    shown = [
        (key, held if query.max_points == read else _coarser(context, key, held, query.max_points)) for key, held in answers.items() if held
    ]
    return {key.run_id: orjson.Fragment(held.answer) for key, held in shown}


def _coarser(context: Context, key: CurveKey, read: Held, max_points: int) -> Held:
    """Fewer points of what was read for a longer answer."""
    smaller = key._replace(max_points=max_points)
    held = context.curves.get(smaller)
    return (
        held if held is not None and held.mark == read.mark else _remember(context, smaller, read.mark, _thinned(read.series, max_points))
    )


def _thinned(series: SeriesOfRun, max_points: int) -> SeriesOfRun:
    return {metric: thinned(columns, max_points) for metric, columns in series.items()}


def _held(context: Context, session: Session, key: CurveKey, mark: Mark) -> Held | None:
    """What is remembered of a run, brought up to date; ``None`` where it has to be read whole."""
    held = context.curves.get(key)
    if held is None or held.mark == mark:
        return held
    if held.mark.epoch > mark.epoch or held.mark.seq > mark.seq or points.rewound_to(session, key.run_id, held.mark) is not None:
        return None
    news = points.points_since(session, key.run_id, held.mark.seq)
    return _remember(context, key, mark, extended(held.series, news, key))


def _remember(context: Context, key: CurveKey, mark: Mark, series: SeriesOfRun) -> Held:
    held = Held(mark, series, orjson.dumps(series))
    context.curves.put(key, held)
    return held
