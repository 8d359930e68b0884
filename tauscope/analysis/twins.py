"""Twins compared: one point of their agreement for each step at which both have written their predictions."""

from io import BytesIO

import numpy as np

from tauscope.contracts.points import Point
from tauscope.metrics.agreement import Predictions, mean_cosine
from tauscope.specs import ExperimentSpec

COSINE = "twin_cosine"


def cosine_metric(spec: ExperimentSpec) -> str:
    """The name of the agreement of a run with its twin."""
    return f"{COSINE}@{spec.comparison_index}"


def cosine_point(spec: ExperimentSpec, step: int, one: Predictions, other: Predictions) -> Point:
    """The agreement at a step; the same whichever of the twins is named first. A missing point says why."""
    try:
        value, low, high = mean_cosine(one, other)
    except ValueError as error:
        return missing_point(spec, step, str(error))
    return Point(step=step, metric=cosine_metric(spec), value=value, low=low, high=high, count=len(one))


def missing_point(spec: ExperimentSpec, step: int, reason: str) -> Point:
    """A step at which the twins could not be compared."""
    return Point(step=step, metric=cosine_metric(spec), value=None, reason=reason)


def read_predictions(data: bytes) -> Predictions:
    """The predictions in a file ``predictions/<step>.npz``."""
    with np.load(BytesIO(data)) as archive:
        found: Predictions = archive["predictions"]
    return found
