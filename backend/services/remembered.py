"""Answers that take long to make: remembered until a run of their experiment has news."""

from collections.abc import Callable
from typing import TypeVar

from pydantic import BaseModel

from backend.services.context import Context
from backend.services.curves import CurvesQuery, curves_etag

Answer = TypeVar("Answer", bound=BaseModel)


def remembered(context: Context, experiment_id: str, about: tuple[str, ...], kind: type[Answer], make: Callable[[], Answer]) -> Answer:
    """The answer as it was made of the experiment's present numbers; ``about`` tells answers of one experiment apart.

    Raises:
        UnknownExperimentError: if there is no such experiment.
        NotReadyError: if others are being made for so long that the reader should ask again.
    """
    key = curves_etag(context, CurvesQuery(experiment_id, about), "")
    return kind.model_validate_json(context.phases.of(key, lambda: make().model_dump_json().encode()))
