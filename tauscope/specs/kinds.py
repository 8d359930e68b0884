"""The registry of experiment kinds: one file and one line here for each."""

from typing import Annotated

from pydantic import Field

from tauscope.specs.experiment import ExperimentSpec
from tauscope.specs.gmm import GmmConditionalSpec, GmmSpec
from tauscope.specs.image_ddpm import ImageDdpmSpec

KINDS: dict[str, type[ExperimentSpec]] = {"image_ddpm": ImageDdpmSpec, "gmm": GmmSpec, "gmm_conditional": GmmConditionalSpec}

AnyExperiment = Annotated[ImageDdpmSpec | GmmSpec | GmmConditionalSpec, Field(discriminator="kind")]
