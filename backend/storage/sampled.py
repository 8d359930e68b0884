"""Which checkpoints of a run have samples, and which wait for them."""

from collections.abc import Sequence

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from backend.storage.files import stepped_files
from backend.storage.tables import Evaluation, MetricPoint, RunFile, Series


def sample_files(session: Session, run_id: str) -> list[RunFile]:
    """The files of samples, by step; the measurement of the last may still be on its way."""
    return stepped_files(session, run_id, "samples")


def measured_files(session: Session, run_id: str) -> list[RunFile]:
    """Those files whose f_mem is known."""
    point = exists().where(
        Series.run_id == run_id, Series.metric == "f_mem", MetricPoint.series_id == Series.id, MetricPoint.step == RunFile.step
    )
    query = select(RunFile).where(RunFile.run_id == run_id, RunFile.kind == "samples", point)
    return list(session.scalars(query.order_by(RunFile.step)))


def points_by_step(session: Session, run_id: str, metrics: Sequence[str]) -> dict[int, dict[str, MetricPoint]]:
    """The points of a run, step to metric to point, by step."""
    query = select(Series.metric, MetricPoint).join(MetricPoint, MetricPoint.series_id == Series.id)
    found: dict[int, dict[str, MetricPoint]] = {}
    rows = session.execute(query.where(Series.run_id == run_id, Series.metric.in_(metrics)).order_by(MetricPoint.step))
    for metric, point in rows:
        found.setdefault(point.step, {})[metric] = point
    return found


def waiting(session: Session, run_id: str) -> list[Evaluation]:
    """Checkpoints whose samples are still to be drawn, by step."""
    return list(session.scalars(select(Evaluation).where(Evaluation.run_id == run_id).order_by(Evaluation.step)))
