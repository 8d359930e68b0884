"""The layout of a results folder.

spec.json              the sweep and every resolved run, with code version and seeds
summary.json           onsets, final values and fits (``ExperimentSummary``)
measurements.parquet   run, step, metric, value, low, high, count, reason
runs/<run>/            train.npz, held_out.npz, dataset.json, samples/<step>.npz, checkpoints/<step>.{safetensors,json}
"""

import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tauscope.contracts.points import Point
from tauscope.contracts.summary import ExperimentSummary
from tauscope.specs import ResolvedRun, SweepSpec

SCHEMA = pa.schema(
    [
        ("run", pa.string()),
        ("step", pa.int64()),
        ("metric", pa.string()),
        ("value", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("count", pa.int64()),
        ("reason", pa.string()),
    ]
)


def training_points(arrays: Mapping[str, Any]) -> Any:
    """Out of the arrays of ``train.npz`` or ``held_out.npz``: images and windows under ``images``, points under ``points``."""
    return arrays["images" if "images" in arrays else "points"]


def run_name(index: int, label: str) -> str:
    """The folder name of a run: its place, which makes it unique, and its axis values, which make it readable."""
    readable = re.sub(r"[^A-Za-z0-9.=+-]+", "_", label)[:60].strip("_")
    return f"{index:02d}-{readable}" if readable else f"{index:02d}"


def spec_document(sweep: SweepSpec, runs: Sequence[ResolvedRun], code_version: str) -> dict[str, Any]:
    """What ``spec.json`` holds."""
    return {
        "experiment": sweep.name,
        "code_version": code_version,
        "sweep": sweep.model_dump(mode="json"),
        "runs": [
            {
                "run": run_name(run.index, run.label),
                "params": run.params,
                "seed": run.spec.seed,
                "spec": run.spec.model_dump(mode="json"),
            }
            for run in runs
        ],
    }


def write_spec(folder: Path, document: Mapping[str, Any]) -> None:
    """Write ``spec.json``."""
    _write_text(folder / "spec.json", json.dumps(document, indent=1))


def write_summary(folder: Path, summary: ExperimentSummary) -> None:
    """Write ``summary.json``."""
    _write_text(folder / "summary.json", summary.model_dump_json(indent=1))


def write_measurements(folder: Path, points: Iterable[tuple[str, Point]]) -> None:
    """Write ``measurements.parquet`` from (run, point) pairs."""
    rows = [{"run": run, **point.model_dump()} for run, point in points]
    temporary = folder / "measurements.parquet.partial"
    pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), temporary)
    temporary.replace(folder / "measurements.parquet")


def read_summary(folder: Path) -> ExperimentSummary:
    """Read ``summary.json``."""
    return ExperimentSummary.model_validate_json((folder / "summary.json").read_text())


def read_spec(folder: Path) -> dict[str, Any]:
    """Read ``spec.json``."""
    document: dict[str, Any] = json.loads((folder / "spec.json").read_text())
    return document


def read_measurements(folder: Path) -> dict[str, list[Point]]:
    """Read ``measurements.parquet``: run to its points."""
    with (folder / "measurements.parquet").open("rb") as file:  # Unlike pyarrow's, its error names the file.
        table = pq.read_table(file, schema=SCHEMA)
    points: dict[str, list[Point]] = {}
    for row in table.to_pylist():
        points.setdefault(row.pop("run"), []).append(Point.model_validate(row))
    return points


def _write_text(path: Path, text: str) -> None:
    temporary = path.with_name(path.name + ".partial")
    with temporary.open("w") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
