"""What a run needs that may not be here: its data, the feature networks that it is measured with, and memory."""

import os

from tauscope.datasets import check_card, dataset_problems
from tauscope.datasets.series import find_series, series_problems
from tauscope.features import feature_problems
from tauscope.specs import DenoiserSpec, ExperimentSpec, FieldProblem, ImageDdpmSpec
from tauscope.specs.random_features import SolvedSpec
from tauscope.specs.timeseries import TimeseriesSpec


def check_data(spec: ExperimentSpec) -> None:
    """Check what can be told of a run's data without them.

    Raises:
        SpecError: if there are no such data, or they cannot give what is asked.
    """
    if spec.images is not None:
        check_card(spec.images, labels=wants_labels(spec))
    if isinstance(spec, TimeseriesSpec):
        find_series(spec.dataset.name)


def missing(spec: ExperimentSpec) -> tuple[FieldProblem, ...]:
    """What stands in the way of a run on this machine, found without reading its data."""
    data = dataset_problems(spec.images, labels=wants_labels(spec)) if spec.images else ()
    series = series_problems(spec.dataset) if isinstance(spec, TimeseriesSpec) else ()
    return (*data, *series, *missing_features(spec), *_missing_memory(spec))


def wants_labels(spec: ExperimentSpec) -> bool:
    """Whether its network is to be told the labels of its data."""
    return isinstance(spec, DenoiserSpec) and spec.network.told_labels


def _missing_memory(spec: ExperimentSpec) -> tuple[FieldProblem, ...]:
    """A closed form on matrices that this machine cannot hold; a training step's memory is found out by trying."""
    held = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if not isinstance(spec, SolvedSpec) or spec.needed_bytes <= held:
        return ()
    message = f"its matrices need about {spec.needed_bytes:,} bytes, and this machine has {held:,}"
    return (FieldProblem("psi_n", message, "Lower d, psi_n or psi_p, or set u to gaussian"),)


def missing_features(spec: ExperimentSpec) -> tuple[FieldProblem, ...]:
    """What stands in the way of the feature networks of a run on this machine, found without reading their files."""
    return feature_problems(spec.measurement) if isinstance(spec, ImageDdpmSpec) else ()
