"""Experiments and runs: showing them, asking things of them, deleting them."""

from typing import Any

import structlog
from pydantic import ValidationError
from sqlalchemy.orm import Session

from backend.services.context import Context
from backend.services.errors import ExperimentActiveError, InvalidRequestError, NotExtendableError, UnknownExperimentError, UnknownRunError
from backend.services.policies import in_spite_of_policy
from backend.services.views import attempt_views, experiment_view, run_event_view, run_summary, run_view
from backend.storage import deletion, experiments, explorations, requests
from backend.storage.census import living_workers, server_time
from backend.storage.experiments import Found
from backend.storage.garbage import discard
from backend.storage.outbox import send_wakeups
from backend.storage.reading import reading
from backend.storage.tables import Run
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.exploration import ExplorationState
from tauscope.contracts.problems import FieldError
from tauscope.contracts.run_views import AttemptView, RunEventView, RunView
from tauscope.contracts.runs import RunState
from tauscope.contracts.summary import ExperimentSummary
from tauscope.specs import KINDS, ExperimentSpec, SpecError

_WITH_IT = "nothing is chosen while its experiment is paused"

log = structlog.get_logger()


def view(context: Context, experiment_id: str) -> ExperimentView:
    """One experiment."""
    with reading(context.sessions) as session:
        found, now, workers = required(session, experiment_id), server_time(session), living_workers(session)
    return experiment_view(found.experiment, found.state, context.fits.of(found.experiment), now, workers)


def summary(context: Context, experiment_id: str) -> ExperimentSummary:
    """The result in one object, as ``tauscope run --json`` prints it."""
    with reading(context.sessions) as session:
        experiment = required(session, experiment_id).experiment
    return ExperimentSummary(
        experiment=experiment.name,
        code_version=experiment.code_version,
        runs=tuple(run_summary(run) for run in experiment.runs),
        fits=context.fits.of(experiment),
    )


def stop(context: Context, experiment_id: str) -> ExperimentView:
    """Ask every run of an experiment to stop, and choose no further ones."""
    with context.sessions.begin() as session:
        explorations.set_state(session, experiment_id, ExplorationState.FINISHED, "its experiment was stopped")
        requests.request_stop(session, _run_ids(session, experiment_id))
    return view(context, experiment_id)


def pause(context: Context, experiment_id: str) -> ExperimentView:
    """Ask every run of an experiment to pause, and choose no further ones meanwhile."""
    with context.sessions.begin() as session:
        explorations.set_state(session, experiment_id, ExplorationState.PAUSED, _WITH_IT, only=ExplorationState.RUNNING)
        requests.request_pause(session, _run_ids(session, experiment_id))
    return view(context, experiment_id)


def resume(context: Context, experiment_id: str) -> ExperimentView:
    """Let every paused run of an experiment go on, and its exploration if that was paused."""
    with context.sessions.begin() as session:
        explorations.set_state(session, experiment_id, ExplorationState.RUNNING, "", only=ExplorationState.PAUSED)
        waiting = requests.request_resume(session, _run_ids(session, experiment_id))
    send_wakeups(context.sessions, context.outbox, waiting)
    return view(context, experiment_id)


def delete(context: Context, experiment_id: str) -> None:
    """Delete an experiment that is over, with the files that nothing else refers to.

    Raises:
        ExperimentActiveError: while a run waits, computes or is paused.
    """
    try:
        with context.sessions.begin() as session:
            required(session, experiment_id)
            unreferenced = deletion.delete_experiment(session, experiment_id)
    except deletion.ExperimentBusyError as error:
        raise ExperimentActiveError(
            "A run of it waits, computes or is paused", f"POST /api/v1/experiments/{experiment_id}/stop first"
        ) from error
    discard(context.sessions, context.artifacts, unreferenced)
    log.info("experiment_deleted", experiment=experiment_id, artifacts=len(unreferenced))


def run(context: Context, run_id: str) -> RunView:
    """One run."""
    with reading(context.sessions) as session:
        return run_view(required_run(session, run_id), living_workers(session))


def stop_run(context: Context, run_id: str) -> RunView:
    """Ask a run to stop."""
    with context.sessions.begin() as session:
        requests.request_stop(session, [required_run(session, run_id).id])
    return run(context, run_id)


def pause_run(context: Context, run_id: str) -> RunView:
    """Ask a run to pause."""
    with context.sessions.begin() as session:
        requests.request_pause(session, [required_run(session, run_id).id])
    return run(context, run_id)


def resume_run(context: Context, run_id: str) -> RunView:
    """Let a paused run go on, or one that its policy stopped, in spite of it."""
    with context.sessions.begin() as session:
        held = required_run(session, run_id)
        waiting = requests.request_resume(session, [held.id])
    if held.state == RunState.STOPPED and held.verdict:
        return extend_run(context, run_id, held.steps)
    send_wakeups(context.sessions, context.outbox, waiting)
    return run(context, run_id)


def run_events(context: Context, run_id: str) -> tuple[RunEventView, ...]:
    """Why a run changed its state, in order."""
    with reading(context.sessions) as session:
        required_run(session, run_id)
        return tuple(run_event_view(event) for event in experiments.run_events(session, run_id))


def extend_run(context: Context, run_id: str, steps: int) -> RunView:
    """Let a finished or stopped run go on from its last checkpoint, to ``steps`` in all.

    Raises:
        NotExtendableError: if it is not over, or has as many steps already.
        SpecError: if it cannot have that many.
    """
    with context.sessions.begin() as session:
        held = required_run(session, run_id)
        spec, note = in_spite_of_policy(session, held, _with_steps(held.spec, steps))
        if not requests.extend(session, run_id, spec.model_dump(mode="json"), cost=spec.cost(), note=note):
            detail = f"Run {run_id} is {held.state} with a budget of {held.steps} steps"
            raise NotExtendableError(
                detail, "Extend a finished run to more steps than that, or a stopped or failed one to at least as many"
            )
    send_wakeups(context.sessions, context.outbox, [run_id])
    return run(context, run_id)


def _with_steps(spec: dict[str, Any], steps: int) -> ExperimentSpec:
    try:
        return KINDS[spec["kind"]].model_validate(spec | {"steps": steps})
    except ValidationError as error:
        raise SpecError.from_validation(error) from error


def run_attempts(context: Context, run_id: str) -> tuple[AttemptView, ...]:
    """Who computed the run from which step to which, in order."""
    with reading(context.sessions) as session:
        required_run(session, run_id)
        return attempt_views(experiments.run_attempts(session, run_id))


def set_priority(context: Context, experiment_id: str, priority: int) -> ExperimentView:
    """Change the priority of every run that is not over."""
    with context.sessions.begin() as session:
        requests.set_priority(session, _run_ids(session, experiment_id), priority)
    return view(context, experiment_id)


def set_run_priority(context: Context, run_id: str, priority: int) -> RunView:
    """Change the priority of a run that is not over."""
    with context.sessions.begin() as session:
        requests.set_priority(session, [required_run(session, run_id).id], priority)
    return run(context, run_id)


def _run_ids(session: Session, experiment_id: str) -> list[str]:
    return [run.id for run in required(session, experiment_id).experiment.runs]


def required(session: Session, experiment_id: str) -> Found:
    """The experiment.

    Raises:
        UnknownExperimentError: if there is none.
    """
    found = experiments.find_experiment(session, experiment_id)
    if found is None:
        raise UnknownExperimentError(experiment_id)
    return found


def required_run(session: Session, run_id: str) -> Run:
    """The run.

    Raises:
        UnknownRunError: if there is none.
    """
    found = experiments.find_run(session, run_id)
    if found is None:
        raise UnknownRunError(run_id)
    return found


def invalid_field(path: str, message: str, remedy: str) -> InvalidRequestError:
    """A request refused for one field."""
    return InvalidRequestError(f"{path} {message}", remedy, [FieldError(path=path, message=message, remedy=remedy)])
