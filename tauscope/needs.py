"""What a run needs that may not be here: its data, and the feature networks that it is measured with."""

from tauscope.datasets import check_card, dataset_problems
from tauscope.features import feature_problems
from tauscope.specs import ExperimentSpec, FieldProblem, ImageDdpmSpec


def check_data(spec: ExperimentSpec) -> None:
    """Check what can be told of a run's data without them.

    Raises:
        SpecError: if there are no such data, or they cannot give what is asked.
    """
    if spec.images is not None:
        check_card(spec.images)


def missing(spec: ExperimentSpec) -> tuple[FieldProblem, ...]:
    """What stands in the way of a run on this machine, found without reading its data."""
    return (*(dataset_problems(spec.images) if spec.images else ()), *missing_features(spec))


def missing_features(spec: ExperimentSpec) -> tuple[FieldProblem, ...]:
    """What stands in the way of the feature networks of a run on this machine, found without reading their files."""
    return feature_problems(spec.measurement) if isinstance(spec, ImageDdpmSpec) else ()
