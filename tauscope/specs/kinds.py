"""The registry of experiment kinds: one file and one line here for each."""

from typing import Annotated

from pydantic import Field

from tauscope.specs.experiment import ExperimentSpec
from tauscope.specs.image_ddpm import ImageDdpmSpec
from tauscope.specs.timeseries import TimeseriesSpec

KINDS: dict[str, type[ExperimentSpec]] = {"image_ddpm": ImageDdpmSpec, "timeseries": TimeseriesSpec}

AnyExperiment = Annotated[ImageDdpmSpec | TimeseriesSpec, Field(discriminator="kind")]
