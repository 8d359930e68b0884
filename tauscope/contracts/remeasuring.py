"""Measuring checkpoints of a run again: what is asked for, and the sets of points that come of it."""

from typing import Annotated, Any, Literal

from pydantic import Field

from tauscope.contracts.curves import Series
from tauscope.contracts.model import Contract
from tauscope.contracts.onsets import Onset
from tauscope.contracts.points import MetricInfo

MAX_STEPS_ASKED = 10_000

Steps = Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1, max_length=MAX_STEPS_ASKED)]


class RemeasureRequest(Contract):
    """How to measure again, and where. Nothing is measured twice: the same changes are the same set."""

    changes: dict[str, Any] = Field(
        default_factory=dict,
        description="fields of the spec's measurement by path, e.g. n_generated or sampler.steps",
    )
    steps: Steps | None = Field(None, description="training steps; by default every checkpoint that is kept")
    name: str = Field("", max_length=200, description="of the set; by default what differs, in words")


class RemeasuredStepView(Contract):
    """Where one step of a set stands."""

    step: int
    state: Literal["waiting", "measuring", "measured", "failed"] = Field(description="failed: five attempts did not do it; ask again")
    from_step: int | None = Field(
        description="the checkpoint it is measured from; if earlier than the step, the steps in between are trained again; 0 for none"
    )
    code_version: str | None = Field(None, description="the code that measured it")
    note: str = Field("", description="what is out of the ordinary: trained again, other code, why it waits or failed")


class RemeasurementView(Contract):
    """A set of points beside the run's own: another estimate of the same checkpoints, with its own label and onsets."""

    id: str
    run_id: str
    name: str
    changes: dict[str, Any] = Field(description="fields of the spec's measurement in which it differs from the run's")
    created_at: float = Field(description="Unix seconds")
    steps: tuple[RemeasuredStepView, ...]
    onsets: dict[str, Onset] = Field(description="by the definitions of the run's spec, from the points of this set alone")
    series: dict[str, Series] = Field(description="metric to series")
    metrics: dict[str, MetricInfo] = Field(default_factory=dict, description="how each of them is named and defined")


class DrawRequest(Contract):
    """Samples that could not be drawn, to be drawn after all."""

    steps: Steps | None = Field(None, description="training steps; by default every gap")


class Gaps(Contract):
    """Steps at which samples were due and could not be drawn; in the answer to a request, those that wait for them now."""

    run_id: str
    steps: tuple[int, ...]
