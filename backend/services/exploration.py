"""Explorations: checked and started, paused and stopped by their owner, and shown with what they would choose next."""

from backend.services.context import Context
from backend.services.datasets import pinned
from backend.services.errors import NotExplorableError
from backend.services.experiments import required
from backend.services.remembered import remembered
from backend.services.requirements import check_data
from backend.storage import explorations
from backend.storage.exploring import Standing
from backend.storage.growing import places
from backend.storage.reading import reading
from backend.storage.tables import Experiment
from tauscope.contracts.exploration import (
    Candidates,
    ExplorationAct,
    Explorations,
    ExplorationStart,
    ExplorationState,
    ExplorationView,
    Proposal,
)
from tauscope.specs import SpecError, SweepSpec, parse_sweep
from tauscope.specs.further import CellRun, with_cells

_PAUSED = "nothing is chosen for now, as its owner wished"


def start(context: Context, experiment_id: str, request: ExplorationStart) -> ExplorationView:
    """Begin to explore; the reconciler chooses the first runs within seconds of a slot being free.

    Raises:
        UnknownExperimentError: if there is no such experiment.
        SpecError: naming the field that keeps it from being explored.
        NotExplorableError: if it is being explored already, or was archived.
    """
    with reading(context.sessions) as session:
        experiment = required(session, experiment_id).experiment
        candidates = _with_seeds(experiment, request.candidates)
        _check(context, experiment, candidates)
    try:
        with context.sessions.begin() as session:
            explorations.start(session, experiment_id, candidates, request.budget)
    except explorations.AlreadyExploredError as error:
        raise NotExplorableError("It is being explored already", "Stop that exploration first, or let it finish") from error
    return history(context, experiment_id).items[0]


def _with_seeds(experiment: Experiment, wanted: Candidates) -> Candidates:
    """The candidates, where no seed was named with those of the experiment's runs."""
    return wanted if wanted.seed else wanted.model_copy(update={"seed": tuple(sorted({run.spec["seed"] for run in experiment.runs}))})


def _check(context: Context, experiment: Experiment, wanted: Candidates) -> None:
    if experiment.archived_at is not None:
        raise NotExplorableError("It was archived", "Take it out of the archive first")
    sweep = parse_sweep(experiment.sweep)
    _check_base(sweep)
    cells = [CellRun(n, width, wanted.seed[0], sweep.base.steps) for n in wanted.n_train for width in wanted.width]
    runs = pinned(context, with_cells(sweep, cells).resolve())
    check_data(runs)
    if None in places(experiment.runs, runs).values():
        raise SpecError.single("experiment", "has runs that its sweep does not", "Launch an experiment of its own to explore")


def _check_base(sweep: SweepSpec) -> None:
    if sweep.base.begins_from is not None:
        raise SpecError.single("base.fork", "makes its runs begin from one checkpoint", "Explore a sweep whose runs begin from scratch")
    if sweep.base.measurement.schedule.kind == "explicit":
        raise SpecError.single(
            "base.measurement.schedule",
            "lists its steps, and a chosen run may end beyond them",
            "Explore a sweep with log_spaced or adaptive checkpoints",
        )


def act(context: Context, experiment_id: str, wish: ExplorationAct) -> ExplorationView:
    """Pause, resume or stop the exploration that is not finished; its runs go on.

    Raises:
        UnknownExperimentError: if there is no such experiment.
        NotExplorableError: if no exploration of it could do that.
    """
    state, reason, only = _WISHES[wish]
    with context.sessions.begin() as session:
        required(session, experiment_id)
        done = explorations.set_state(session, experiment_id, state, reason, only=only)
    if not done:
        needed = f"is {only}" if only else "is not finished"
        raise NotExplorableError(f"No exploration of experiment {experiment_id} {needed}", "GET its explorations to see where they stand")
    return history(context, experiment_id).items[0]


_WISHES: dict[ExplorationAct, tuple[ExplorationState, str, ExplorationState | None]] = {
    "pause": (ExplorationState.PAUSED, _PAUSED, ExplorationState.RUNNING),
    "resume": (ExplorationState.RUNNING, "", ExplorationState.PAUSED),
    "stop": (ExplorationState.FINISHED, "stopped by its owner", None),
}


def history(context: Context, experiment_id: str) -> Explorations:
    """Every exploration of an experiment, newest first.

    Raises:
        UnknownExperimentError: if there is no such experiment.
    """
    with reading(context.sessions) as session:
        required(session, experiment_id)
        ids = [row.id for row in explorations.explorations_of(session, experiment_id)]
    views = (_view(context, exploration_id) for exploration_id in ids)
    return Explorations(items=tuple(view for view in views if view is not None))


def _view(context: Context, exploration_id: str) -> ExplorationView | None:
    with reading(context.sessions) as session:
        standing = Standing.read(session, exploration_id)
        if standing is None:
            return None
        decisions = tuple(explorations.decision_view(row) for row in explorations.decisions_of(session, exploration_id))
    row = standing.exploration
    return ExplorationView(
        id=row.id,
        experiment_id=row.experiment_id,
        candidates=standing.candidates,
        budget=standing.budget,
        state=ExplorationState(row.state),
        reason=row.reason,
        created_at=row.created_at,
        spent=standing.spent,
        decisions=decisions,
        next=None if row.state == ExplorationState.FINISHED else _next(context, standing),
    )


def _next(context: Context, standing: Standing) -> Proposal:
    """What it would choose for one more slot, as things stand; made anew when a run has news."""
    row = standing.exploration
    about = ("exploration", row.id, str(row.decided))
    return remembered(context, row.experiment_id, about, Proposal, lambda: _proposal(context, row.id))


def _proposal(context: Context, exploration_id: str) -> Proposal:
    with reading(context.sessions) as session:
        standing = Standing.read(session, exploration_id)
        return standing.propose(session, 1) if standing else Proposal()
