"""Measured numbers as tables: curves in the long form, and onsets, one row each; for Arrow and CSV alike."""

import io
from collections.abc import Sequence
from typing import Any

import orjson
import pyarrow as pa
from pyarrow import csv

from backend.services.context import Context
from backend.services.curves import CurvesQuery
from backend.services.experiments import required
from backend.services.views import metrics_of
from backend.storage import curves as points
from backend.storage.cursor import format_cursor
from backend.storage.reading import reading
from backend.storage.tables import Run
from tauscope.analysis.thinning import thinned
from tauscope.specs.stored import n_train_of

ARROW = "application/vnd.apache.arrow.stream"

_RUN_FIELDS = [("n", pa.int64()), ("run", pa.string()), ("seed", pa.int64())]
_NUMBERS = [("value", pa.float64()), ("low", pa.float64()), ("high", pa.float64()), ("count", pa.int64()), ("reason", pa.string())]
_CURVES = pa.schema([*_RUN_FIELDS, ("metric", pa.string()), ("tau", pa.int64()), *_NUMBERS])
_TIMES = [("tau", pa.float64()), ("low", pa.float64()), ("high", pa.float64())]
_ONSETS = pa.schema(
    [*_RUN_FIELDS, ("onset", pa.string()), ("status", pa.string()), *_TIMES, ("metric", pa.string()), ("level", pa.float64()), _NUMBERS[-1]]
)


def curve_table(context: Context, query: CurvesQuery) -> pa.Table:
    """Curves with columns n, run, seed, metric, tau, value, low, high, count, reason, by run, metric and tau.

    Its metadata hold ``experiment_id``, the ``cursor`` of exactly these points, and ``metrics`` as JSON.

    Raises:
        UnknownExperimentError: if there is no such experiment.
    """
    with reading(context.sessions) as session:
        runs = required(session, query.experiment_id).experiment.runs
        cursor = format_cursor(points.marks(session, query.experiment_id))
        found = points.run_curves(session, [run.id for run in runs], query.metrics)
    infos = {name: info.model_dump() for name, info in metrics_of(runs).items() if query.metrics is None or name in query.metrics}
    metadata = {"experiment_id": query.experiment_id, "cursor": cursor, "metrics": orjson.dumps(infos)}
    parts = [
        _series(run, metric, thinned(columns, query.max_points))
        for run in runs
        for metric, columns in sorted(found.get(run.id, {}).items())
    ]
    return pa.concat_tables([_CURVES.empty_table(), *parts]).replace_schema_metadata(metadata)


def _series(run: Run, metric: str, columns: dict[str, list[Any]]) -> pa.Table:
    rows = len(columns["step"])
    constant = [n_train_of(run.spec), run.id, run.spec.get("seed"), metric]
    repeated = [pa.repeat(pa.scalar(value, field.type), rows) for value, field in zip(constant, _CURVES, strict=False)]
    measured = [pa.array(columns[name], _CURVES.field(place + 4).type) for place, name in enumerate(points.COLUMNS)]
    return pa.table([*repeated, *measured], schema=_CURVES)


def onset_table(context: Context, experiment_id: str) -> pa.Table:
    """Both onsets of every run with columns n, run, seed, onset, status, tau, low, high, metric, level, reason.

    Raises:
        UnknownExperimentError: if there is no such experiment.
    """
    with reading(context.sessions) as session:
        runs = required(session, experiment_id).experiment.runs
    return pa.Table.from_pylist(_onset_rows(runs), _ONSETS)


def _onset_rows(runs: Sequence[Run]) -> list[dict[str, Any]]:
    return [
        {"n": n_train_of(run.spec), "run": run.id, "seed": run.spec.get("seed"), "onset": name}
        | {"tau": onset["value"], **{column: onset.get(column) for column in ("status", "low", "high", "metric", "level", "reason")}}
        for run in runs
        for name, onset in run.onsets.items()
    ]


def as_csv(table: pa.Table) -> bytes:
    """A table as CSV with a header; what is missing is empty."""
    buffer = io.BytesIO()
    csv.write_csv(table, buffer, csv.WriteOptions(quoting_style="needed"))
    return buffer.getvalue()


def as_arrow(table: pa.Table) -> bytes:
    """A table as an Arrow IPC stream."""
    buffer = io.BytesIO()
    with pa.ipc.new_stream(buffer, table.schema) as writer:
        writer.write_table(table)
    return buffer.getvalue()
