"""Runs whose checkpoints are to be sampled further once they are trained, as their adaptive schedule says."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, select
from sqlalchemy.orm import Session, aliased

from backend.storage.claims import add_event, written_by
from backend.storage.flush import await_samples, prune_checkpoints, record_points
from backend.storage.leases import bump
from backend.storage.tables import Evaluation, Run, RunEvent
from tauscope.contracts.points import Point
from tauscope.contracts.runs import TERMINAL_STATES, RunState
from tauscope.specs import KINDS
from tauscope.specs.schedule import Adaptive

REFINED = "refined"


def unrefined() -> ColumnElement[bool]:
    """Runs that ended early under an adaptive schedule and of which nobody has recorded yet that nothing more is to be sampled.

    One that finishes is refined before.
    """
    claimed = aliased(RunEvent)
    last_claim = select(func.coalesce(func.max(claimed.id), 0)).where(claimed.run_id == Run.id, claimed.name == "claimed")
    settled = exists().where(RunEvent.run_id == Run.id, RunEvent.name == REFINED, RunEvent.id > last_claim.scalar_subquery())
    adaptive = Run.spec["measurement"]["schedule"]["kind"].as_string() == "adaptive"
    return and_(Run.state.in_([RunState.STOPPED, RunState.FAILED]), Run.checkpoint_step.is_not(None), adaptive, ~settled)


def to_be_refined(session: Session, limit: int = 100) -> list[str]:
    """Such runs of which no checkpoint waits for its samples."""
    awaited = exists().where(Evaluation.run_id == Run.id)
    return list(session.scalars(select(Run.id).where(unrefined(), ~awaited).order_by(Run.id).limit(limit)))


def saved_steps(spec: Mapping[str, Any]) -> tuple[int, ...]:
    """The steps whose checkpoints a run of this spec keeps until it is refined; none under another schedule."""
    schedule = _adaptive(spec)
    return schedule.saved(spec["steps"]) if schedule else ()


def kept_until_refined(session: Session, run: Run) -> tuple[int, ...]:
    """The steps whose checkpoints this run still keeps for that."""
    over = run.state in TERMINAL_STATES and session.scalar(select(Run.id).where(Run.id == run.id, unrefined())) is None
    return () if over else saved_steps(run.spec)


def ask_further(session: Session, run: Run, step: int, words: str) -> None:
    """Let the samples of a further step of a trained run be drawn. The run is locked."""
    await_samples(session, run.id, [step], code_version=written_by(session, run.id, step) or "", epoch=run.epoch << 20)
    add_event(session, run.id, bump(session, run.id), "refining", words)


def end_refining(session: Session, run: Run, words: str) -> None:
    """Record that nothing more of a run is sampled, and let the checkpoints go that were saved for that alone. The run is locked."""
    if run.checkpoint_step is not None:
        prune_checkpoints(session, run.id, run.checkpoint_step)
    add_event(session, run.id, bump(session, run.id), REFINED, words)


def note_gap(session: Session, run_id: str, step: int, why: str, seq: int) -> None:
    """Put a gap into the curve of an adaptive run at a further step whose samples nobody can draw, so that it is not chosen again."""
    spec = session.scalars(select(Run.spec).where(Run.id == run_id)).one()
    schedule = _adaptive(spec)
    if schedule and step in schedule.further(spec["steps"]):
        record_points(session, run_id, [Point(step=step, metric="f_mem", value=None, count=0, reason=why)], seq)


def is_noted_gap(point: Point) -> bool:
    """Whether a point says that nobody could draw its samples; what was drawn and diverged has a count."""
    return point.metric == "f_mem" and point.value is None and point.count == 0


def _adaptive(spec: Mapping[str, Any]) -> Adaptive | None:
    """Of specs as they are stored: most of them are told apart without being read."""
    told = spec.get("measurement", {}).get("schedule", {}).get("kind")
    return KINDS[spec["kind"]].model_validate(spec).adaptive_schedule if told == "adaptive" else None
