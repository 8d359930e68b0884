"""Curves, columnar, without a model per point."""

import hashlib
from collections.abc import Sequence
from typing import Any

import orjson

from backend.services.context import Context
from backend.services.experiments import required
from backend.services.views import metrics_of
from backend.storage import curves as points
from backend.storage.cursor import format_cursor
from backend.storage.reading import reading
from tauscope.version import source_version


def curves_etag(context: Context, experiment_id: str, metrics: Sequence[str] | None) -> str:
    """Names the content of the curves without reading them: every flush of every run, and what was asked."""
    with reading(context.sessions) as session:
        marks = points.marks(session, experiment_id)
    basis = orjson.dumps([experiment_id, format_cursor(marks), metrics, source_version()])
    return f'"{hashlib.sha256(basis).hexdigest()[:32]}"'


def curves_json(context: Context, experiment_id: str, metrics: Sequence[str] | None) -> bytes:
    """``tauscope.contracts.experiments.Curves`` as JSON; the cursor is that of exactly these points."""
    with reading(context.sessions) as session:
        runs = required(session, experiment_id).experiment.runs
        marks = points.marks(session, experiment_id)
        curves = points.experiment_curves(session, experiment_id, metrics)
    infos = {name: info.model_dump() for name, info in metrics_of(runs).items() if metrics is None or name in metrics}
    document: dict[str, Any] = {
        "experiment_id": experiment_id,
        "cursor": format_cursor(marks),
        "metrics": infos,
        "runs": {run.id: curves.get(run.id, {}) for run in runs},
    }
    return orjson.dumps(document)
