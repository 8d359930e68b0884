"""When an experiment began: what tells a second launch of a preset from the first."""

from collections.abc import Iterable
from datetime import UTC, datetime

from tauscope.contracts.experiments import ExperimentView


def started(experiment: ExperimentView, among: Iterable[ExperimentView]) -> str:
    """Day and minute; with seconds where another of the same name began in that minute."""
    alike = [other for other in among if other.name == experiment.name and other.id != experiment.id]
    minute = _written(experiment, "%-d %b %H:%M")
    exact = any(_written(other, "%-d %b %H:%M") == minute for other in alike)
    return f"{_written(experiment, '%-d %b %H:%M:%S') if exact else minute} UTC"


def _written(experiment: ExperimentView, form: str) -> str:
    return datetime.fromtimestamp(experiment.created_at, UTC).strftime(form)
