"""What moves the two clocks: each setting of a sweep beside the others, at one training time."""

from pydantic import Field

from tauscope.contracts.model import Contract
from tauscope.contracts.onsets import Onset
from tauscope.contracts.points import Point

AT_SAMPLING = " (at sampling)"
"""How a setting ends that another sampler makes of the plain runs' weights."""


class Setting(Contract):
    """Runs that differ by their seed alone, as one row: three seeds or more as their mean, fewer each by itself."""

    setting: str = Field(description="what the sweep changes here, in the words of the form; empty for the runs that it leaves as they are")
    at: float | None = Field(None, description="the value of what the settings differ in, where that is one number")
    seeds: tuple[int, ...]
    n_train: int
    tau_gen: tuple[Onset, ...] = Field(description="one for all seeds where each of three or more has reached it, else one a seed")
    tau_mem: tuple[Onset, ...]
    quality: Point = Field(description="what defines tau_gen, at the common time")
    samples: Point | None = Field(None, description="a quality measured on samples, at the common time, where there is one")
    f_mem: Point
    control: Point


class Interventions(Contract):
    """Every setting of a sweep, compared at one training time."""

    experiment: str
    at: int = Field(description="the training step at which quality and copying are compared; 0 where there is none yet")
    settings: tuple[Setting, ...]
    axis: str = Field("", description="the one field that the settings differ in, if its values are numbers, by its label and unit")
    labels: dict[str, str] = Field(default_factory=dict, description="each metric of the rows in words")
    missing: str = Field("", description="why nothing can be compared, where nothing can")
