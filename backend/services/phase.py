"""The phase diagram of an experiment from what its runs have measured."""

from backend.services.context import Context
from backend.services.experiments import required
from backend.services.remembered import remembered
from backend.storage.measured import measured_runs
from backend.storage.reading import reading
from tauscope.analysis.phase import phase_diagram
from tauscope.contracts.phase import PhaseDiagram


def diagram(context: Context, experiment_id: str) -> PhaseDiagram:
    """The cells of an experiment and the boundaries between them, made anew when a run has news.

    Raises:
        UnknownExperimentError: if there is no such experiment.
        NotReadyError: if others are being made for so long that the reader should ask again.
    """
    return remembered(context, experiment_id, ("phase",), PhaseDiagram, lambda: _diagram(context, experiment_id))


def _diagram(context: Context, experiment_id: str) -> PhaseDiagram:
    with reading(context.sessions) as session:
        experiment = required(session, experiment_id).experiment
        runs = measured_runs(session, experiment)
    return phase_diagram(experiment.name, runs)
