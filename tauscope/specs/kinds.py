"""The registry of experiment kinds: one file and one line here for each."""

from tauscope.specs.experiment import ExperimentSpec
from tauscope.specs.image_ddpm import ImageDdpmSpec

KINDS: dict[str, type[ExperimentSpec]] = {"image_ddpm": ImageDdpmSpec}

# With a second kind this becomes Annotated[ImageDdpmSpec | ..., Field(discriminator="kind")].
AnyExperiment = ImageDdpmSpec
