"""What files a run has, and the measurement that belongs to its samples."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.storage.tables import MetricPoint, RunFile, Series


def run_files(session: Session, run_ids: Sequence[str]) -> list[RunFile]:
    """Every file of the runs, by run and path."""
    return list(session.scalars(select(RunFile).where(RunFile.run_id.in_(run_ids)).order_by(RunFile.run_id, RunFile.path)))


def find_file(session: Session, run_id: str, kind: str, step: int | None = None) -> RunFile | None:
    """The file of a kind, e.g. ``train``, or ``samples`` at a step."""
    query = select(RunFile).where(RunFile.run_id == run_id, RunFile.kind == kind)
    return session.scalar(query.where(RunFile.step == step) if step is not None else query)


def stepped_files(session: Session, run_id: str, kind: str) -> list[RunFile]:
    """Every file of a kind that a run has one of at some steps, e.g. ``samples``, by step."""
    query = select(RunFile).where(RunFile.run_id == run_id, RunFile.kind == kind, RunFile.step.is_not(None))
    return list(session.scalars(query.order_by(RunFile.step)))


@dataclass(frozen=True)
class CheckpointFiles:
    """A checkpoint: its step, and path and SHA-256 of its two files."""

    step: int
    weights: tuple[str, str]
    state: tuple[str, str]


def checkpoint_files(session: Session, run_id: str, step: int) -> CheckpointFiles | None:
    """The checkpoint of a step, if both its files are known."""
    query = select(RunFile).where(RunFile.run_id == run_id, RunFile.step == step, RunFile.kind.in_(["weights", "state"]))
    found = {file.kind: (file.path, file.sha256) for file in session.scalars(query)}
    return CheckpointFiles(step, found["weights"], found["state"]) if len(found) == 2 else None


def checkpoints_up_to(session: Session, run_id: str, step: int) -> tuple[CheckpointFiles, ...]:
    """Every checkpoint of a run up to a step, the newest first."""
    query = select(RunFile).where(RunFile.run_id == run_id, RunFile.step <= step, RunFile.kind.in_(["weights", "state"]))
    found: dict[int, dict[str, tuple[str, str]]] = {}
    for file in session.scalars(query.order_by(RunFile.step.desc())):
        assert file.step is not None
        found.setdefault(file.step, {})[file.kind] = (file.path, file.sha256)
    return tuple(CheckpointFiles(at, files["weights"], files["state"]) for at, files in found.items() if len(files) == 2)


def sample_steps(session: Session, run_id: str) -> tuple[int, ...]:
    """The steps that have samples, increasing. Their f_mem may still be on its way."""
    query = select(RunFile.step).where(RunFile.run_id == run_id, RunFile.kind == "samples", RunFile.step.is_not(None))
    return tuple(step for step in session.scalars(query.order_by(RunFile.step)) if step is not None)


def sampled_steps(session: Session, run_ids: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """The same of several runs, of those whose training images are stored."""
    pictured = select(RunFile.run_id).where(RunFile.run_id.in_(run_ids), RunFile.kind == "train")
    query = select(RunFile.run_id, RunFile.step).where(RunFile.kind == "samples", RunFile.run_id.in_(pictured), RunFile.step.is_not(None))
    found: dict[str, list[int]] = {}
    for run_id, step in session.execute(query.order_by(RunFile.run_id, RunFile.step)):
        found.setdefault(run_id, []).append(step or 0)
    return {run_id: tuple(steps) for run_id, steps in found.items()}


def points_at(session: Session, run_id: str, step: int, metrics: Sequence[str]) -> dict[str, MetricPoint]:
    """The points of a run at one step, by metric."""
    query = select(Series.metric, MetricPoint).join(MetricPoint, MetricPoint.series_id == Series.id)
    rows = session.execute(query.where(Series.run_id == run_id, Series.metric.in_(metrics), MetricPoint.step == step))
    return {metric: point for metric, point in rows}  # noqa: C416 - a Row is no plain pair to the type checker
