"""Which runs are twins, and at which steps the predictions of both wait to be compared."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import and_, exists, select, update
from sqlalchemy.orm import Session, aliased

from backend.storage.tables import MetricPoint, Run, RunFile, Series
from tauscope.specs import KINDS
from tauscope.specs.twins import find_pairs

PREDICTIONS = "predictions"
AT_A_TIME = 1000  # What is compared before any of it is recorded stays small.


class Waiting(NamedTuple):
    """A step at which both twins have stored predictions, and ``run_id`` no comparison of them yet."""

    run_id: str
    twin_id: str
    step: int
    sha256: str
    twin_sha256: str


def link_twins(session: Session, experiment_id: str) -> None:
    """Let every run of an experiment know its twin, where it has one."""
    rows = session.execute(select(Run.id, Run.spec).where(Run.experiment_id == experiment_id).order_by(Run.index)).all()
    if all(row.spec.get("dataset", {}).get("subset", 0) % 2 == 0 for row in rows):
        return
    specs = [KINDS[row.spec["kind"]].model_validate(row.spec) for row in rows]
    for one, other in find_pairs(specs):
        _set_twin(session, rows[one].id, rows[other].id)
        _set_twin(session, rows[other].id, rows[one].id)


def _set_twin(session: Session, run_id: str, twin_id: str) -> None:
    session.execute(update(Run).where(Run.id == run_id).values(twin_id=twin_id), execution_options={"synchronize_session": "evaluate"})


def has_predictions(session: Session, run_id: str) -> bool:
    """Whether a run has stored predictions at any step; runs of code from before there were twins have none."""
    return session.scalar(select(exists().where(RunFile.run_id == run_id, RunFile.kind == PREDICTIONS))) or False


def waiting_comparisons(session: Session, metric_prefix: str) -> list[Waiting]:
    """Steps at which twins are to be compared, by run and step; of very many the first."""
    mine, theirs = aliased(RunFile), aliased(RunFile)
    compared = exists().where(
        Series.run_id == mine.run_id,
        Series.metric.startswith(metric_prefix, autoescape=True),
        MetricPoint.series_id == Series.id,
        MetricPoint.step == mine.step,
    )
    query = (
        select(Run.id, Run.twin_id, mine.step, mine.sha256, theirs.sha256)
        .join(mine, and_(mine.run_id == Run.id, mine.kind == PREDICTIONS))
        .join(theirs, and_(theirs.run_id == Run.twin_id, theirs.kind == PREDICTIONS, theirs.step == mine.step))
        .where(Run.twin_id.is_not(None), ~compared)
    )
    found = session.execute(query.order_by(Run.id, mine.step).limit(AT_A_TIME)).all()
    return [Waiting(row[0], row[1], row[2], row[3], row[4]) for row in found if row[1] is not None and row[2] is not None]


def still_stored(session: Session, waiting: Sequence[Waiting]) -> list[Waiting]:
    """Those whose files are still the ones that were compared: a rewind may have dropped some. The runs are locked."""
    ids = {run_id for item in waiting for run_id in (item.run_id, item.twin_id)}
    query = select(RunFile.run_id, RunFile.step, RunFile.sha256).where(RunFile.run_id.in_(ids), RunFile.kind == PREDICTIONS)
    held = {(row.run_id, row.step): row.sha256 for row in session.execute(query)}
    return [
        item
        for item in waiting
        if held.get((item.run_id, item.step)) == item.sha256 and held.get((item.twin_id, item.step)) == item.twin_sha256
    ]
