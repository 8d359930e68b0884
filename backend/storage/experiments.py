"""Experiments and their runs: creating and finding."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, case, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, selectinload, sessionmaker

from backend.storage.database import db_now
from backend.storage.forking import begin_from
from backend.storage.ids import new_id
from backend.storage.tables import Attempt, Experiment, IdempotencyKey, Run, RunEvent
from backend.storage.twins import link_twins
from tauscope.contracts.runs import DEFAULT_QUEUE, RunState
from tauscope.specs import ResolvedRun, SweepSpec


class KeyReusedError(Exception):
    """The idempotency key came with another request before."""


@dataclass(frozen=True)
class Request:
    """What makes a repeated POST the same one."""

    key: str
    sha256: str


class Created(NamedTuple):
    """An experiment, its runs (the most work first), and whether an earlier request had created it."""

    experiment_id: str
    run_ids: tuple[str, ...]
    replayed: bool


class Found(NamedTuple):
    """An experiment with its runs, and the state they make it have."""

    experiment: Experiment
    state: RunState


def create_experiment(
    sessions: sessionmaker[Session],
    sweep: SweepSpec,
    runs: Sequence[ResolvedRun],
    *,
    code_version: str,
    request: Request | None,
    priority: int = 0,
    queue: str = DEFAULT_QUEUE,
) -> Created:
    """Insert an experiment and its runs in one transaction, or find the one the same request created before.

    Raises:
        KeyReusedError: if the idempotency key came with another request.
        ForkGoneError: if a checkpoint that a run forks from is not there any more.
    """
    experiment = Experiment(name=sweep.name, sweep=sweep.model_dump(mode="json"), code_version=code_version)
    try:
        with sessions.begin() as session:
            return _replay(session, request) or _insert(session, experiment, runs, request, priority=priority, queue=queue)
    except IntegrityError:
        # The same request arrived twice at once and the other one was first.
        with sessions.begin() as session:
            earlier = _replay(session, request)
        if earlier is None:
            raise
        return earlier


def find_experiment(session: Session, experiment_id: str) -> Found | None:
    """An experiment with its runs in order."""
    row = session.execute(with_state().where(Experiment.id == experiment_id)).one_or_none()
    return Found(row[0], RunState(row[1])) if row else None


def run_ids_of(session: Session, experiment_id: str) -> tuple[str, ...]:
    """The ids of an experiment's runs, in order; empty where there is no such experiment."""
    return tuple(session.scalars(select(Run.id).where(Run.experiment_id == experiment_id).order_by(Run.index)))


def find_run(session: Session, run_id: str) -> Run | None:
    """A run by its id."""
    return session.get(Run, run_id)


def run_events(session: Session, run_id: str) -> list[RunEvent]:
    """Why a run changed its state, in order."""
    return list(session.scalars(select(RunEvent).where(RunEvent.run_id == run_id).order_by(RunEvent.id)))


def run_attempts(session: Session, run_id: str) -> list[Attempt]:
    """Who computed the run, in order."""
    return list(session.scalars(select(Attempt).where(Attempt.run_id == run_id).order_by(Attempt.epoch)))


def _replay(session: Session, request: Request | None) -> Created | None:
    earlier = session.get(IdempotencyKey, request.key) if request else None
    if earlier is None or request is None:
        return None
    if earlier.request_sha256 != request.sha256:
        raise KeyReusedError
    return Created(earlier.experiment_id, run_ids_of(session, earlier.experiment_id), replayed=True)


def _insert(
    session: Session,
    experiment: Experiment,
    runs: Sequence[ResolvedRun],
    request: Request | None,
    **columns: Any,
) -> Created:
    """``columns`` are the same for every run."""
    now = session.scalars(select(db_now())).one()
    experiment.id = new_id(now)
    session.add(experiment)
    session.flush()
    rows = insert_runs(session, experiment.id, runs, now=now, places=range(len(runs)), **columns)
    if request:
        session.add(IdempotencyKey(key=request.key, request_sha256=request.sha256, experiment_id=experiment.id))
        session.flush()
    longest_first = sorted(rows, key=lambda row: -row.cost)
    return Created(experiment.id, tuple(row.id for row in longest_first), replayed=False)


def insert_runs(
    session: Session, experiment_id: str, runs: Sequence[ResolvedRun], *, now: float, places: Sequence[int], **columns: Any
) -> list[Run]:
    """Insert runs of an experiment at these places in it; ``columns`` are the same for every run.

    Raises:
        ForkGoneError: if a checkpoint that one forks from is not there any more.
    """
    rows = [_row(run, experiment_id=experiment_id, id=new_id(now), index=place, **columns) for run, place in zip(runs, places, strict=True)]
    session.add_all(rows)
    session.flush()
    for run, row in zip(runs, rows, strict=True):
        detail = begin_from(session, row, fork) if (fork := run.spec.begins_from) else ""
        session.add(RunEvent(run_id=row.id, seq=0, name="created", detail=detail))
    link_twins(session, experiment_id)
    return rows


def _row(run: ResolvedRun, **columns: Any) -> Run:
    return Run(
        label=run.label,
        params=run.params,
        spec=run.spec.model_dump(mode="json"),
        steps=run.spec.steps,
        cost=run.spec.cost(),
        **columns,
    )


def with_state() -> "Select[Experiment, str]":
    """Experiments with their runs and tags, each with its state."""
    return select(Experiment, state_of()).options(selectinload(Experiment.runs), selectinload(Experiment.tags))


def state_of() -> ColumnElement[str]:
    """An experiment's state by those of its runs; between two segments of a run it counts as running."""

    def count(state: RunState) -> ColumnElement[int]:
        return func.sum(case((Run.state == state.value, 1), else_=0))

    untouched = and_(count(RunState.QUEUED) == func.count(), func.max(Run.epoch) == 0)
    state = case(
        (untouched, RunState.QUEUED.value),
        (count(RunState.RUNNING) + count(RunState.QUEUED) > 0, RunState.RUNNING.value),
        (count(RunState.PAUSED) > 0, RunState.PAUSED.value),
        (count(RunState.FAILED) > 0, RunState.FAILED.value),
        (count(RunState.STOPPED) > 0, RunState.STOPPED.value),
        else_=RunState.FINISHED.value,
    )
    return select(state).where(Run.experiment_id == Experiment.id).correlate(Experiment).scalar_subquery()
