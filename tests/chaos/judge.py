"""What the runs must have given, from an undisturbed sweep, and what they gave."""

import hashlib
import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from backend.storage.artifacts import ArtifactStore
from backend.storage.files import run_files
from backend.storage.flush import KEPT_CHECKPOINTS, read_points
from backend.storage.tables import Attempt, Run
from tauscope.execution.local_sweep import LocalSweep
from tauscope.specs import apply_settings, load_preset
from tests.tiny import PRESET

PointKey = tuple[int, str]
PointValues = tuple[float | None, float | None, float | None, int | None]
FileKey = tuple[str, int]


@dataclass(frozen=True)
class Result:
    """All points of a run, the SHA-256 of its samples and of the weights of every measured checkpoint, its onsets and last values."""

    points: dict[PointKey, PointValues]
    files: dict[FileKey, str]
    summary: dict[str, Any]


def undisturbed(assignments: dict[str, Any], folder: Path) -> dict[str, Result]:
    """The same runs without any service, by label."""
    sweep = LocalSweep(apply_settings(load_preset(PRESET).sweep, assignments), folder)
    sweep.execute(processes=2)
    results = {}
    for run in sweep.runs:
        points = {(point.step, point.metric): (point.value, point.low, point.high, point.count) for point in run.points}
        assert len(points) == len(run.points)
        files = {("samples", int(path.stem)): _digest(path) for path in run.folder.glob("samples/*.npz")}
        for path in run.folder.glob("checkpoints/*.safetensors"):
            if ("samples", int(path.stem)) in files:
                files["weights", int(path.stem)] = _digest(path)
        summary = run.summary().model_dump(mode="json", include={"onsets", "final"})
        results[run.plan.label] = Result(points, files, summary)
    return results


def stored(session: Session, store: ArtifactStore) -> list[dict[str, Result]]:
    """What the service holds, by experiment and label, every file's bytes verified against its name.

    Raises:
        ArtifactCorruptError: if a file that a run refers to is gone or damaged.
    """
    experiments: dict[str, dict[str, Result]] = {}
    for run in session.query(Run).all():
        experiments.setdefault(run.experiment_id, {})[run.label] = _stored_run(session, store, run)
    return list(experiments.values())


def _stored_run(session: Session, store: ArtifactStore, run: Run) -> Result:
    rows = read_points(session, run.id)
    points = {(point.step, point.metric): (point.value, point.low, point.high, point.count) for point in rows}
    assert len(points) == len(rows), f"{run.label} has a point twice"
    files = run_files(session, [run.id])
    for file in files:
        store.read(file.sha256)
    measured = {file.step for file in files if file.kind == "samples"}
    unmeasured = [file for file in files if file.kind == "weights" and file.step not in measured]
    assert len(unmeasured) <= KEPT_CHECKPOINTS, f"{run.label} keeps checkpoints that nobody needs"
    kept = {(file.kind, file.step): file.sha256 for file in files if file.kind in {"samples", "weights"} and file.step in measured}
    return Result(
        points,
        {(kind, step): digest for (kind, step), digest in kept.items() if step is not None},
        {"onsets": run.onsets, "final": run.final},
    )


def differences(expected: dict[str, Result], found: dict[str, Result]) -> list[str]:
    """Every difference in words; none is what is wanted."""
    lines = [f"run {label} is missing or unknown" for label in expected.keys() ^ found.keys()]
    for label in expected.keys() & found.keys():
        lines += _differ(f"{label} point", expected[label].points, found[label].points)
        lines += _differ(f"{label} summary", expected[label].summary, found[label].summary)
        lines += _differ(f"{label} file", expected[label].files, found[label].files)
    return lines


def rewinds(session: Session) -> tuple[int, int]:
    """How many attempts were lost or in trouble, and the steps that were trained again."""
    lost = steps = 0
    for run in session.query(Run).all():
        attempts = session.query(Attempt).where(Attempt.run_id == run.id).order_by(Attempt.epoch).all()
        lost += sum("lost" in attempt.outcome or "trouble" in attempt.outcome for attempt in attempts)
        steps += sum(max(0, one.to_step - following.from_step) for one, following in itertools.pairwise(attempts))
    return lost, steps


def _differ(what: str, expected: dict[Any, Any], found: dict[Any, Any]) -> list[str]:
    return [
        f"{what} {key}: expected {expected.get(key, 'nothing')}, found {found.get(key, 'nothing')}"
        for key in sorted(expected.keys() | found.keys())
        if key not in expected or key not in found or expected[key] != found[key]
    ]


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
