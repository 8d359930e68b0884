"""Which training images were copied, from a results folder, and as CSV."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import csv

from tauscope.analysis.copied import CopyRecord, SampledCheckpoint, copied_images, count_copies, unmeasured_steps
from tauscope.analysis.typicality import Distinct, measure_typicality
from tauscope.contracts.copied import CopiedImage, CopiedImages, UnmeasuredStep
from tauscope.contracts.points import Point
from tauscope.results.folder import read_measurements, read_spec, training_points
from tauscope.specs import KINDS
from tauscope.specs.measurement import GAP_THRESHOLD

_FLOATS = (float, float | None)
_COLUMNS = {
    name: pa.float64() if field.annotation in _FLOATS else pa.int64()
    for name, field in CopiedImage.model_fields.items()
    if name != "copies_by_step"
}


def copied_in_folder(folder: Path, *, step: int | None = None, limit: int | None = None) -> tuple[CopiedImages, ...]:
    """The training images that each run of a results folder copied, at a step or at its last measured one.

    Runs that measured nothing at that step are left out.

    Raises:
        FileNotFoundError: if a file that the layout promises is missing, naming it.
    """
    spec, points = read_spec(folder), read_measurements(folder)
    views = []
    for entry in spec["runs"]:
        files = {int(file.stem): file for file in (folder / "runs" / entry["run"] / "samples").glob("*.npz")}
        at = max(files, default=None) if step is None else step
        if at in files:
            assert at is not None
            record = _read_record(folder / "runs" / entry["run"], [files[step] for step in sorted(files)])
            unmeasured = _unmeasured(entry["spec"], points.get(entry["run"], []), files)
            views.append(copied_images(record, at, limit=limit, unmeasured=unmeasured, point=KINDS[entry["spec"]["kind"]].POINTS[:-1]))
    return tuple(views)


def sampled_steps(folder: Path) -> tuple[int, ...]:
    """Every step at which a run of the folder has samples."""
    return tuple(sorted({int(file.stem) for file in folder.glob("runs/*/samples/*.npz")}))


def _read_record(run: Path, files: Sequence[Path]) -> CopyRecord:
    train, held_out = (_points(run / name) for name in ("train.npz", "held_out.npz"))
    distinct = Distinct.of(train)
    checkpoints = [sampled_checkpoint(int(file.stem), _array(file, "neighbours"), _array(file, "distances")) for file in files]
    return count_copies(run.name, checkpoints, distinct, measure_typicality(train, distinct, held_out))


def sampled_checkpoint(step: int, neighbours: np.ndarray, distances: np.ndarray) -> SampledCheckpoint:
    """The samples of a step from the arrays of its file, both [sample, 2]."""
    return SampledCheckpoint(step, neighbours[:, 0], distances[:, 0], distances[:, 0] / distances[:, 1] < GAP_THRESHOLD)


def _points(file: Path) -> np.ndarray:
    with np.load(file, allow_pickle=False) as archive:
        found: np.ndarray = training_points(archive)
    return found


def _array(file: Path, name: str) -> np.ndarray:
    with np.load(file, allow_pickle=False) as archive:
        found: np.ndarray = archive[name]
    return found


def _unmeasured(spec: dict[str, Any], points: Sequence[Point], measured: dict[int, Path]) -> tuple[UnmeasuredStep, ...]:
    model = KINDS[spec["kind"]].model_validate(spec)
    told = [
        UnmeasuredStep(step=point.step, state="diverged", reason=point.reason or "the sampler gave no finite sample")
        for point in points
        if point.metric == "f_mem" and point.value is None
    ]
    reached = max((point.step for point in points), default=0)
    return unmeasured_steps(model.measurement.schedule.steps(model.steps), reached, tuple(measured), told)


def copied_csv(views: Sequence[CopiedImages]) -> bytes:
    """One row a distinct training image with a header; ``copies_at_<step>`` is empty where nothing is measured."""
    tables = [_table(view) for view in views]
    buffer = io.BytesIO()
    csv.write_csv(pa.concat_tables(tables, promote_options="default"), buffer, csv.WriteOptions(quoting_style="needed"))
    return buffer.getvalue()


def _table(view: CopiedImages) -> pa.Table:
    rows = len(view.items)
    constant = {"run": pa.repeat(view.run_id, rows), "step": pa.repeat(view.step, rows), "n_generated": pa.repeat(view.n_generated, rows)}
    measured = {name: pa.array([getattr(item, name) for item in view.items], kind) for name, kind in _COLUMNS.items()}
    places = {step: place for place, step in enumerate(view.steps)} | dict.fromkeys(item.step for item in view.unmeasured)
    by_step = {
        f"copies_at_{step}": pa.nulls(rows, pa.int64())
        if place is None
        else pa.array([item.copies_by_step[place] for item in view.items], pa.int64())
        for step, place in sorted(places.items())
    }
    return pa.table(constant | measured | by_step)
