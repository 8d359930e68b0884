"""Measuring checkpoints of a run again, and drawing what was given up."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from sqlalchemy.orm import Session

from backend.services.context import Context
from backend.services.errors import UnknownCheckpointError, UnknownRemeasurementError
from backend.services.experiments import required_run
from backend.storage import remeasuring
from backend.storage.census import server_time
from backend.storage.claims import STALL_LIMIT
from backend.storage.evaluations import draw_again
from backend.storage.files import checkpoints_up_to
from backend.storage.flush import read_points
from backend.storage.outbox import send_wakeups
from backend.storage.reading import reading
from backend.storage.refining import is_noted_gap
from backend.storage.sampled import waiting
from backend.storage.tables import RemeasuredStep, Remeasurement, Run
from tauscope.analysis.metrics_info import metric_infos
from tauscope.analysis.summary import summarize_points
from tauscope.contracts.curves import Series
from tauscope.contracts.points import Point
from tauscope.contracts.remeasuring import DrawRequest, Gaps, RemeasuredStepView, RemeasurementView, RemeasureRequest
from tauscope.specs import KINDS, ExperimentSpec, SpecError
from tauscope.specs.remeasuring import changes_of, changes_words, check_reference, remeasured, with_changes


def remeasurements(context: Context, run_id: str) -> tuple[RemeasurementView, ...]:
    """Every set of points of a run beside its own, the oldest first."""
    with reading(context.sessions) as session:
        return _views(session, required_run(session, run_id))


def remeasure(context: Context, run_id: str, request: RemeasureRequest) -> tuple[RemeasurementView, bool]:
    """Ask for checkpoints of a run to be measured again; the set, and whether anything of it is still to be done because of this.

    Raises:
        UnknownRunError: if there is no such run.
        SpecError: if a change is refused.
        UnknownCheckpointError: if the run has no checkpoint, or has not come to a step yet.
    """
    with context.sessions.begin() as session:
        run = required_run(session, run_id)
        spec = _spec(run)
        again = remeasured(spec, request.changes)
        changes = changes_of(spec, again)
        steps = request.steps or _kept(session, run)
        _check_reached(run, steps)
        if again.refers_to:
            check_reference(again, steps, _kept(session, run), run=run_id)
        name = request.name.strip() or changes_words(spec, changes)[:200]
        set_id, asked = remeasuring.ask_again(session, run_id, name, changes, steps)
    # One wake-up for each step, as for evaluations.
    send_wakeups(context.sessions, context.outbox, [run_id] * len(asked), "evaluate")
    found = next(item for item in remeasurements(context, run_id) if item.id == set_id)
    return found, bool(asked)


def forget(context: Context, run_id: str, remeasurement_id: str) -> None:
    """Delete a set with its points; what is still to be measured of it is not.

    Raises:
        UnknownRemeasurementError: if there is none.
    """
    with context.sessions.begin() as session:
        required_run(session, run_id)
        if not remeasuring.delete_remeasurement(session, run_id, remeasurement_id):
            raise UnknownRemeasurementError(run_id, remeasurement_id)


def gaps(context: Context, run_id: str) -> Gaps:
    """The steps of a run whose samples could not be drawn and wait for nobody."""
    with reading(context.sessions) as session:
        return Gaps(run_id=run_id, steps=gaps_of(session, required_run(session, run_id)))


def draw_gaps(context: Context, run_id: str, request: DrawRequest) -> Gaps:
    """Let samples be drawn whose evaluation was given up; they fill their gaps in the run's own curves.

    Raises:
        SpecError: if a step is no gap.
    """
    with context.sessions.begin() as session:
        run = required_run(session, run_id)
        open_steps = gaps_of(session, run)
        steps = request.steps or open_steps
        if strange := sorted(set(steps) - set(open_steps)):
            known = ", ".join(f"{step:,}" for step in open_steps) or "none"
            raise SpecError.single("steps", f"{strange[0]:,} is no gap in the curves", f"Its gaps are: {known}")
        draw_again(session, run_id, steps)
    send_wakeups(context.sessions, context.outbox, [run_id] * len(steps), "evaluate")
    return Gaps(run_id=run_id, steps=tuple(sorted(steps)))


def gaps_of(session: Session, run: Run) -> tuple[int, ...]:
    """The steps that were to be sampled, at which the losses are known and the samples neither there nor on their way."""
    points = read_points(session, run.id)
    noted = {point.step for point in points if is_noted_gap(point)}
    drawn, measured = ({point.step for point in points if point.metric.startswith(name)} for name in ("f_mem", "loss_"))
    awaited = {item.step for item in waiting(session, run.id)}
    due = {step for step in _spec(run).measurement.schedule.steps(run.steps) if step <= (run.checkpoint_step or 0)}
    return tuple(sorted((due & measured - drawn | noted) - awaited))


def _spec(run: Run) -> ExperimentSpec:
    return KINDS[run.spec["kind"]].model_validate(run.spec)


def _kept(session: Session, run: Run) -> tuple[int, ...]:
    found = checkpoints_up_to(session, run.id, run.checkpoint_step or 0)
    if not found:
        raise UnknownCheckpointError(f"Run {run.id} has no checkpoint to measure", "Wait for its first one, or name the steps")
    return tuple(sorted(item.step for item in found))


def _check_reached(run: Run, steps: Sequence[int]) -> None:
    last = run.checkpoint_step or 0
    if max(steps) > last:
        there = f"its last checkpoint is at step {last:,}" if last else "it has none yet"
        raise UnknownCheckpointError(f"Run {run.id} has not come to step {max(steps):,}: {there}", "Ask for steps up to that")


def _views(session: Session, run: Run) -> tuple[RemeasurementView, ...]:
    sets = remeasuring.remeasurements_of(session, [run.id])
    ids = [item.id for item in sets]
    points, steps = remeasuring.remeasured_points(session, ids), remeasuring.remeasured_steps(session, ids)
    kept, now = [item.step for item in checkpoints_up_to(session, run.id, run.checkpoint_step or 0)], server_time(session)
    return tuple(
        _view(run, item, [_step(row, kept, now) for row in steps if row.remeasurement_id == item.id], points[item.id]) for item in sets
    )


def _view(run: Run, item: Remeasurement, steps: Sequence[RemeasuredStepView], points: Sequence[Point]) -> RemeasurementView:
    spec, series = with_changes(_spec(run), item.changes), _series_of(points)
    onsets, _ = summarize_points(spec, points)
    return RemeasurementView(
        id=item.id,
        run_id=run.id,
        name=item.name,
        changes=item.changes,
        created_at=item.created_at,
        steps=tuple(steps),
        onsets=onsets,
        series=series,
        metrics={name: info for name, info in metric_infos(spec).items() if name in series},
    )


def _series_of(points: Sequence[Point]) -> dict[str, Series]:
    """Points that are sorted by metric and step, as columns."""
    found = {}
    for metric, group in groupby(points, key=lambda point: point.metric):
        rows = list(group)
        columns: dict[str, Any] = {name: tuple(getattr(point, name) for point in rows) for name in Series.model_fields}
        found[metric] = Series.model_validate(columns)
    return found


def _step(row: RemeasuredStep, kept: Sequence[int], now: float) -> RemeasuredStepView:
    from_step = max((step for step in kept if step <= row.step), default=0) if row.finished_at is None else row.from_step
    notes = [_trained_again(row, from_step), _other_code(row), row.reason if row.finished_at is None else ""]
    note = "; ".join(text for text in notes if text)
    return RemeasuredStepView(step=row.step, state=_state(row, now), from_step=from_step, code_version=row.code_version, note=note)


def _state(row: RemeasuredStep, now: float) -> str:
    if row.finished_at is not None:
        return "measured"
    held = row.worker is not None and row.lease_until >= now
    return "measuring" if held else "failed" if row.stalls >= STALL_LIMIT else "waiting"


def _trained_again(row: RemeasuredStep, from_step: int | None) -> str:
    if from_step is None or from_step == row.step:
        return ""
    start = f"the checkpoint at {from_step:,}" if from_step else "the beginning"
    waits = f", which only code {row.written_by or 'unknown'} may do" if row.finished_at is None else ""
    return f"its own checkpoint is gone: trained again from {start}{waits}"


def _other_code(row: RemeasuredStep) -> str:
    if row.finished_at is None or row.code_version == row.written_by:
        return ""
    return f"measured by code {row.code_version} from a checkpoint of {row.written_by or 'unknown code'}"
