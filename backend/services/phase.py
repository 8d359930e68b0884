"""The phase diagram of an experiment from what its runs have measured."""

from backend.services.context import Context
from backend.services.curves import CurvesQuery, curves_etag
from backend.services.experiments import required
from backend.services.pools import points_of
from backend.services.views import run_summary
from backend.storage.curves import Columns, run_curves
from backend.storage.reading import reading
from backend.storage.tables import Run
from tauscope.analysis.phase import phase_diagram
from tauscope.analysis.phase_states import MeasuredRun, metrics_read
from tauscope.contracts.phase import PhaseDiagram
from tauscope.contracts.points import Point
from tauscope.specs import KINDS


def diagram(context: Context, experiment_id: str) -> PhaseDiagram:
    """The cells of an experiment and the boundaries between them, made anew when a run has news.

    Raises:
        UnknownExperimentError: if there is no such experiment.
        NotReadyError: if others are being made for so long that the reader should ask again.
    """
    key = curves_etag(context, CurvesQuery(experiment_id, ("phase",)), "")
    return PhaseDiagram.model_validate_json(context.phases.of(key, lambda: _diagram(context, experiment_id).model_dump_json().encode()))


def _diagram(context: Context, experiment_id: str) -> PhaseDiagram:
    with reading(context.sessions) as session:
        experiment = required(session, experiment_id).experiment
        specs = {run.id: KINDS[run.spec["kind"]].model_validate(run.spec) for run in experiment.runs}
        metrics = sorted({metric for spec in specs.values() for metric in metrics_read(spec)})
        found = run_curves(session, list(specs), metrics)
    runs = [MeasuredRun(run_summary(run), specs[run.id], _points(run, found)) for run in experiment.runs]
    return phase_diagram(experiment.name, runs)


def _points(run: Run, found: dict[str, dict[str, Columns]]) -> list[Point]:
    return [point for metric, columns in found.get(run.id, {}).items() for point in points_of(metric, columns)]
