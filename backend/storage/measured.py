"""An experiment's runs with what the phase diagram reads of them."""

from collections.abc import Callable

from sqlalchemy.orm import Session

from backend.storage.curves import run_curves, stored_points
from backend.storage.tables import Experiment
from tauscope.analysis.phase_states import MeasuredRun, metrics_read
from tauscope.contracts.summary import RunSummary
from tauscope.specs import KINDS, ExperimentSpec


def measured_runs(session: Session, experiment: Experiment, read: Callable[[ExperimentSpec], set[str]] = metrics_read) -> list[MeasuredRun]:
    """Every run, in order, as far as it has been measured; ``read`` names the metrics that are wanted of a run."""
    specs = {run.id: KINDS[run.spec["kind"]].model_validate(run.spec) for run in experiment.runs}
    found = run_curves(session, list(specs), sorted({metric for spec in specs.values() for metric in read(spec)}))
    return [
        MeasuredRun(
            RunSummary.model_validate({name: getattr(run, name) for name in RunSummary.model_fields}),
            specs[run.id],
            [point for metric, columns in found.get(run.id, {}).items() for point in stored_points(metric, columns)],
        )
        for run in experiment.runs
    ]
