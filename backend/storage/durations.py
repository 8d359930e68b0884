"""What earlier runs took, and which experiment finished a sweep before."""

from typing import Any, NamedTuple

from pydantic import ValidationError
from sqlalchemy import and_, exists, func, select
from sqlalchemy.orm import Session

from backend.storage.tables import Attempt, Experiment, Run
from tauscope.contracts.runs import RunState
from tauscope.specs import SweepSpec

_REMEMBERED = 60  # The newest runs of a kind; older ones were computed by older code, or on other machines.
_NAMESAKES = 20


class PastRun(NamedTuple):
    """A finished run: its spec, its cost, the seconds it computed for, and the worker of its last attempt."""

    spec: dict[str, Any]
    cost: float
    seconds: float
    worker: str


class Finished(NamedTuple):
    """An experiment that finished, and the seconds from its launch to its end."""

    id: str
    seconds: float


def past_runs(session: Session, kind: str) -> list[PastRun]:
    """The newest finished runs of a kind."""
    last = and_(Attempt.run_id == Run.id, Attempt.epoch == Run.epoch)
    found = select(Run.spec, Run.cost, Run.seconds, Attempt.worker).join(Attempt, last)
    finished = and_(Run.state == RunState.FINISHED.value, Run.seconds > 0, Run.cost > 0, Run.spec["kind"].as_string() == kind)
    rows = session.execute(found.where(finished).order_by(Run.updated_at.desc()).limit(_REMEMBERED))
    return [PastRun(*row) for row in rows]


def finished_sweep(session: Session, sweep: dict[str, Any]) -> Finished | None:
    """The newest experiment of the sweep's name that finished every run of this very sweep."""
    unfinished = exists().where(Run.experiment_id == Experiment.id, Run.state != RunState.FINISHED.value)
    namesakes = select(Experiment).where(Experiment.name == sweep["name"], ~unfinished).order_by(Experiment.id.desc()).limit(_NAMESAKES)
    same = next((row for row in session.scalars(namesakes) if _same(row.sweep, sweep)), None)
    if same is None:
        return None
    end = session.scalars(select(func.max(Run.updated_at)).where(Run.experiment_id == same.id)).one()
    assert end is not None, "a finished run was heard of"
    return Finished(same.id, end - same.created_at)


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    try:
        known = SweepSpec.model_validate(one).model_dump(mode="json")  # A field that came later has its default.
    except ValidationError:
        return False  # Other code launched it.
    return {**known, "summary": ""} == {**other, "summary": ""}
