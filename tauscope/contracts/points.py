"""One measured number of a run, and the names of what is measured."""

from typing import Literal

from pydantic import Field

from tauscope.contracts.model import Contract


class Point(Contract):
    """A measurement at a training step, with its 95 % interval and the number of items it was measured on.

    ``value`` is ``None`` only with a ``reason``, e.g. ``diverged``.
    """

    step: int = Field(ge=0)
    metric: str
    value: float | None
    low: float | None = None
    high: float | None = None
    count: int | None = None
    reason: str | None = None


class MetricInfo(Contract):
    """How a metric is named on a page and drawn on an axis."""

    name: str
    label: str = Field(description="in the field's words, e.g. 'held-out loss at index 100'")
    unit: str = Field(description="what one unit is, e.g. 'share of samples'")
    role: Literal["quality", "memorization", "control", "loss", "distance", "warning", "agreement"]
    definition: str = Field(description="one sentence that says exactly what was computed")
    control: str | None = Field(None, description="the metric that must be drawn beside this one")
    better: Literal["lower", "higher", "zero", "neither"] = Field("lower", description="of a quality: where it should be")
    log_scale: bool = False
    index: int | None = Field(None, description="0-based diffusion index, for losses")
    alpha_bar: float | None = Field(None, description="alpha_bar at that index")

    @property
    def better_words(self) -> str:
        """``lower is better``: how a quality is to be read; empty where it depends."""
        return {"lower": "lower is better", "higher": "higher is better", "zero": "0 is best", "neither": ""}[self.better]
