"""The settings of an experiment side by side: its runs, and its runs as other samplers measured them again."""

from sqlalchemy.orm import Session

from backend.services.context import Context
from backend.services.experiments import required
from backend.services.remembered import remembered
from backend.storage.measured import measured_runs
from backend.storage.reading import reading
from backend.storage.remeasuring import remeasured_points, remeasurements_of
from tauscope.analysis.interventions import interventions, metrics_compared
from tauscope.analysis.phase_states import MeasuredRun
from tauscope.contracts.interventions import Interventions
from tauscope.results.interventions import measured_again
from tauscope.results.remeasured import Remeasured
from tauscope.specs.remeasuring import changes_key


def compared(context: Context, experiment_id: str) -> Interventions:
    """Every setting at the last training step that all have sampled, made anew when a run has news.

    Raises:
        UnknownExperimentError: if there is no such experiment.
        NotReadyError: if others are being made for so long that the reader should ask again.
    """
    return remembered(context, experiment_id, ("interventions",), Interventions, lambda: _compared(context, experiment_id))


def _compared(context: Context, experiment_id: str) -> Interventions:
    with reading(context.sessions) as session:
        experiment = required(session, experiment_id).experiment
        runs = measured_runs(session, experiment, metrics_compared)
        rows = _sets(session, runs)
    try:
        return interventions(experiment.name, [*runs, *measured_again(runs, rows)])
    except ValueError as error:
        return Interventions(experiment=experiment.name, at=0, settings=(), missing=str(error).partition(" | ")[0])


def _sets(session: Session, runs: list[MeasuredRun]) -> list[Remeasured]:
    """What was measured again of these runs, as a results folder holds it; sets of which nothing is there yet are left out."""
    sets = remeasurements_of(session, [run.summary.id for run in runs])
    points = remeasured_points(session, [item.id for item in sets])
    return [Remeasured(item.name, changes_key(item.changes), "", 0, item.run_id, point) for item in sets for point in points[item.id]]
