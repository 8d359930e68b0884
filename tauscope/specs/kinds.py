"""The registry of experiment kinds: one file and one line here for each."""

from typing import Annotated

from pydantic import Field

from tauscope.specs.experiment import ExperimentSpec
from tauscope.specs.image_ddpm import ImageDdpmSpec
from tauscope.specs.score_1d import Score1dSpec

KINDS: dict[str, type[ExperimentSpec]] = {"image_ddpm": ImageDdpmSpec, "score_1d": Score1dSpec}

AnyExperiment = Annotated[ImageDdpmSpec | Score1dSpec, Field(discriminator="kind")]
