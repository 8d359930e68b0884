"""The registry of experiment kinds: one file and one line here for each."""

from tauscope.specs.image_ddpm import ImageDdpmSpec

# With a second kind this becomes Annotated[ImageDdpmSpec | ..., Field(discriminator="kind")].
ExperimentSpec = ImageDdpmSpec

KINDS: dict[str, type[ImageDdpmSpec]] = {"image_ddpm": ImageDdpmSpec}
