"""Explorations as they are stored: started, asked of, decided; and what their runs have used."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from backend.storage.announcements import announce_experiment_end
from backend.storage.database import db_now
from backend.storage.datasets import pin_datasets
from backend.storage.growing import added, grow, lock_experiment, places
from backend.storage.ids import new_id
from backend.storage.requests import extend
from backend.storage.tables import Attempt, Experiment, Exploration, ExplorationDecision, Run
from tauscope.contracts.exploration import Action, Budget, BudgetKind, Candidates, Chosen, Decision, ExplorationState, Spent
from tauscope.contracts.runs import TERMINAL_STATES
from tauscope.specs import KINDS, SpecError, parse_sweep
from tauscope.specs.further import CellRun, with_cells

_UNSYNCED = {"synchronize_session": False}
_OPEN = Exploration.state != ExplorationState.FINISHED.value


class AlreadyExploredError(Exception):
    """The experiment has an exploration that is not finished."""


class OvertakenError(Exception):
    """What a decision was made from is no longer so."""


class Basis(NamedTuple):
    """What a decision was made from: how many were made before, and every run's steps and whether it is over and evaluated."""

    decided: int
    runs: tuple[tuple[str, int, bool], ...]


def start(session: Session, experiment_id: str, candidates: Candidates, budget: Budget) -> str:
    """Insert an exploration, and return its id.

    Raises:
        AlreadyExploredError: if another one goes on.
    """
    lock_experiment(session, experiment_id)
    if session.scalar(select(func.count()).select_from(Exploration).where(Exploration.experiment_id == experiment_id, _OPEN)):
        raise AlreadyExploredError
    row = Exploration(
        id=new_id(session.scalars(select(db_now())).one()),
        experiment_id=experiment_id,
        candidates=candidates.model_dump(mode="json"),
        budget=budget.model_dump(mode="json"),
    )
    session.add(row)
    session.flush()
    return row.id


def explorations_of(session: Session, experiment_id: str) -> list[Exploration]:
    """The explorations of an experiment, newest first."""
    return list(session.scalars(select(Exploration).where(Exploration.experiment_id == experiment_id).order_by(Exploration.id.desc())))


def running(session: Session) -> list[str]:
    """The ids of the explorations that choose runs."""
    return list(session.scalars(select(Exploration.id).where(Exploration.state == ExplorationState.RUNNING.value).order_by(Exploration.id)))


def set_state(session: Session, experiment_id: str, state: ExplorationState, reason: str, *, only: ExplorationState | None = None) -> bool:
    """Put the exploration of an experiment that is not finished into a state; ``only`` if it is in that one. Whether there was one."""
    which = [Exploration.experiment_id == experiment_id, _OPEN, *([Exploration.state == only.value] if only else [])]
    change = update(Exploration).where(*which).values(state=state.value, reason=reason).returning(Exploration.id)
    changed = bool(session.scalars(change, execution_options=_UNSYNCED).all())
    if changed and state is ExplorationState.FINISHED:
        announce_experiment_end(session, experiment_id)
    return changed


def decisions_of(session: Session, exploration_id: str) -> list[ExplorationDecision]:
    """Every decision, in order."""
    query = select(ExplorationDecision).where(ExplorationDecision.exploration_id == exploration_id)
    return list(session.scalars(query.order_by(ExplorationDecision.number)))


def decision_view(row: ExplorationDecision) -> Decision:
    """A decision as pages and programs see it."""
    return Decision.model_validate({name: getattr(row, name) for name in Decision.model_fields})


def is_over(run: Run) -> bool:
    """Whether nothing more is to come of a run as it is: it has ended, and its samples are measured."""
    return run.state in TERMINAL_STATES and not run.unevaluated


def basis_of(exploration: Exploration, runs: Sequence[Run]) -> Basis:
    """What a decision depends on; progress of a run under way does not count."""
    return Basis(exploration.decided, tuple((run.id, run.steps, is_over(run)) for run in runs))


def spent(session: Session, budget: Budget, decisions: Sequence[ExplorationDecision], runs: Sequence[Run]) -> Spent:
    """What the chosen runs have used, and what is expected of those that are not over."""
    before: dict[str, list[float]] = {}
    last: dict[str, dict[str, Any]] = {}
    for decision in decisions:
        for item in decision.chosen:
            before.setdefault(item["run"], decision.used[item["run"]])
            last[item["run"]] = item
    by_id = {run.id: run for run in runs}
    used = _seconds(before, by_id) if budget.kind is BudgetKind.SECONDS else _steps(session, before)
    waiting = [(by_id[run_id], item) for run_id, item in last.items() if run_id in by_id and by_id[run_id].state not in TERMINAL_STATES]
    return Spent(spent=used, committed=sum(_to_come(run, item) for run, item in waiting))


def _to_come(run: Run, item: dict[str, Any]) -> float:
    cost, more = float(item["cost"]), int(item["more_steps"])
    return cost * min(1.0, max(0, run.steps - run.step) / max(1, more))


def _seconds(before: dict[str, list[float]], runs: dict[str, Run]) -> float:
    return sum(max(0.0, runs[run_id].seconds - seconds) for run_id, (_, seconds) in before.items() if run_id in runs)


def _steps(session: Session, before: dict[str, list[float]]) -> float:
    """Every step that was computed, those computed twice after a loss included."""
    rows = session.execute(select(Attempt.run_id, Attempt.epoch, Attempt.to_step - Attempt.from_step).where(Attempt.run_id.in_(before)))
    return float(sum(steps for run_id, epoch, steps in rows if epoch > before[run_id][0]))


def decide(session: Session, exploration_id: str, basis: Basis, chosen: Sequence[Chosen], remaining: float) -> list[str]:
    """Carry a decision out: the new runs, the further steps, and its entry in the log, all or nothing.

    Returns:
        The ids of the runs that wait for a worker now; a wake-up must follow the commit.

    Raises:
        OvertakenError: if it was made from what is no longer so.
        SpecError: if a run cannot be made any more.
    """
    exploration, experiment = _locked(session, exploration_id, basis)
    used = {run.id: [float(run.epoch), run.seconds] for run in experiment.runs}
    ids = iter(_new_runs(session, experiment, [item for item in chosen if item.action is Action.NEW]))
    done = [item if item.action is Action.EXTEND else item.model_copy(update={"run": next(ids)}) for item in chosen]
    for item in done:
        if item.action is Action.EXTEND and not _extended(session, experiment, item):
            raise OvertakenError
    exploration.decided, exploration.reason = basis.decided + 1, ""
    session.add(
        ExplorationDecision(
            exploration_id=exploration_id,
            number=exploration.decided,
            chosen=[item.model_dump(mode="json") for item in done],
            used={str(item.run): used.get(str(item.run), [0.0, 0.0]) for item in done},
            cost=sum(item.cost for item in done),
            remaining=remaining,
        )
    )
    session.flush()
    return [str(item.run) for item in done]


def conclude(session: Session, exploration_id: str, basis: Basis, *, finished: bool, reason: str) -> None:
    """Say why nothing was chosen.

    Raises:
        OvertakenError: if it was found from what is no longer so.
    """
    exploration, experiment = _locked(session, exploration_id, basis)
    exploration.reason = reason
    exploration.state = ExplorationState.FINISHED.value if finished else exploration.state
    session.flush()
    if finished:
        announce_experiment_end(session, experiment.id)


def _locked(session: Session, exploration_id: str, basis: Basis) -> tuple[Exploration, Experiment]:
    """The exploration and its experiment, which nobody else changes until this transaction ends; both as they were."""
    # In this order, as a stop takes them: two that lock the other way round would wait for each other.
    query = select(Exploration).where(Exploration.id == exploration_id, Exploration.state == ExplorationState.RUNNING.value)
    exploration = session.scalars(query.with_for_update(), execution_options={"populate_existing": True}).one_or_none()
    experiment = lock_experiment(session, exploration.experiment_id) if exploration is not None else None
    if experiment is None or exploration is None or basis_of(exploration, experiment.runs) != basis:
        raise OvertakenError
    return exploration, experiment


def _new_runs(session: Session, experiment: Experiment, chosen: Sequence[Chosen]) -> list[str]:
    """Insert a run for each cell, where the experiment's other runs wait.

    Raises:
        SpecError: if the experiment's runs are no longer those of its sweep.
    """
    if not chosen:
        return []
    sweep = with_cells(parse_sweep(experiment.sweep), [CellRun(item.n_train, item.width, item.seed, item.steps) for item in chosen])
    runs = pin_datasets(session, sweep.resolve())
    held = {run_id: place for run_id, place in places(experiment.runs, runs).items() if place is not None}
    if len(held) < len(experiment.runs):
        raise SpecError.single("axes", "leaves out a run that the experiment has", "Launch an experiment of its own to explore")
    first = experiment.runs[0]
    new = added(held, runs)
    if len(new) != len(chosen):
        raise SpecError.single("further", "names a run that the experiment has", "Choose another seed")
    grow(session, experiment, sweep, held=held, new=new, priority=first.priority, queue=first.queue)
    made = select(Run.id).where(Run.experiment_id == experiment.id, Run.index >= len(experiment.runs))
    return list(session.scalars(made.order_by(Run.index)))


def _extended(session: Session, experiment: Experiment, item: Chosen) -> bool:
    run = next(run for run in experiment.runs if run.id == item.run)
    spec = KINDS[run.spec["kind"]].model_validate(run.spec | {"steps": item.steps})
    return extend(session, run.id, spec.model_dump(mode="json"), cost=spec.cost(), note=", as its exploration chose")
