"""Adding runs to an experiment: its sweep becomes a larger one, of which every run it has is a part."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy.orm import Session

from backend.services.context import Context
from backend.services.datasets import pinned
from backend.services.errors import UnknownExperimentError
from backend.services.experiments import required
from backend.services.forking import pin_forks
from backend.services.launch import check_text, plan_of
from backend.services.requirements import check_data
from backend.storage.forking import ForkGoneError
from backend.storage.growing import added, grow, lock_experiment, places
from backend.storage.outbox import send_wakeups
from backend.storage.reading import reading
from backend.storage.tables import Experiment, Run
from tauscope.contracts.experiments import Plan
from tauscope.contracts.growing import SweepGrowth
from tauscope.specs import ResolvedRun, SpecError, SweepSpec, apply_settings, parse_sweep


def plan_growth(context: Context, experiment_id: str, request: SweepGrowth) -> Plan:
    """The larger sweep and the runs it would add, which may be none; adds nothing.

    Raises:
        UnknownExperimentError: if there is no such experiment.
        SpecError: naming each field at fault; also if the sweep leaves out a run that is there.
    """
    with reading(context.sessions) as session:
        sweep, _, new = _larger(context, required(session, experiment_id).experiment, request)
    return plan_of(context, sweep, tuple(replace(run, index=place) for place, run in enumerate(new)))  # Counted among themselves.


def add_runs(context: Context, experiment_id: str, request: SweepGrowth) -> None:
    """Insert the new runs, commit, and only then wake the workers.

    Raises:
        UnknownExperimentError: if there is no such experiment.
        SpecError: as for ``plan_growth``; also if the sweep adds no run.
    """
    with context.sessions.begin() as session:
        ids = enlarge(context, session, locked(session, experiment_id), request)
    send_wakeups(context.sessions, context.outbox, ids)


def enlarge(context: Context, session: Session, experiment: Experiment, request: SweepGrowth) -> tuple[str, ...]:
    """Insert the runs that a larger sweep adds to a locked experiment, and return their ids; a wake-up must follow the commit.

    Raises:
        SpecError: as for ``add_runs``.
    """
    sweep, held, new = _larger(context, experiment, request)
    if not new:
        raise SpecError.single("axes", "adds no run: the experiment has every run of it", "Add a value to an axis, for example a seed")
    try:
        return grow(session, experiment, sweep, held=held, new=new, priority=request.priority, queue=request.queue)
    except ForkGoneError as error:
        raise SpecError.single("fork.step", str(error), "Fork from another checkpoint") from error


def locked(session: Session, experiment_id: str) -> Experiment:
    """The experiment, to which nobody else adds runs until the transaction ends.

    Raises:
        UnknownExperimentError: if there is none.
    """
    experiment = lock_experiment(session, experiment_id)
    if experiment is None:
        raise UnknownExperimentError(experiment_id)
    return experiment


def _larger(
    context: Context, experiment: Experiment, request: SweepGrowth
) -> tuple[SweepSpec, dict[str, ResolvedRun], tuple[ResolvedRun, ...]]:
    """The larger sweep, which of its runs each run of the experiment is, and the others."""
    check_text(request.model_dump(include={"sweep", "settings"}))
    sweep = parse_sweep(request.sweep if request.sweep is not None else experiment.sweep)
    sweep = apply_settings(sweep, request.settings) if request.settings else sweep
    runs = pin_forks(context, pinned(context, sweep.resolve()))
    check_data(runs)
    held = _places(experiment.runs, runs)
    return sweep, held, added(held, runs)


def _places(held: Sequence[Run], runs: Sequence[ResolvedRun]) -> dict[str, ResolvedRun]:
    found = places(held, runs)
    left_out = [run.label for run in held if found[run.id] is None]
    if left_out:
        raise SpecError.single(
            "axes",
            f"leaves out {len(left_out)} of the experiment's {len(held)} runs: {'; '.join(left_out[:3])}",
            "A sweep only grows: keep every value and setting that it has, or launch the changed sweep as an experiment of its own",
        )
    kept = {run_id: place for run_id, place in found.items() if place is not None}
    for run in held:
        _check_steps(run, kept[run.id])
    return kept


def _check_steps(run: Run, place: ResolvedRun) -> None:
    if place.spec.steps > run.steps:
        raise SpecError.single(
            "steps",
            f"gives {place.spec.steps:,} steps to {run.label}, which was given {run.steps:,}",
            "Extend that run, or leave its steps as they are",
        )
