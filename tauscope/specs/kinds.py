"""The registry of experiment kinds: one file and one line here for each."""

from typing import Annotated

from pydantic import Field

from tauscope.specs.experiment import ExperimentSpec
from tauscope.specs.gmm import GmmConditionalSpec, GmmSpec
from tauscope.specs.image_ddpm import ImageDdpmSpec
from tauscope.specs.random_features import RandomFeaturesSpec, RfSpectrumSpec
from tauscope.specs.score_1d import Score1dSpec
from tauscope.specs.timeseries import TimeseriesSpec

KINDS: dict[str, type[ExperimentSpec]] = {
    "image_ddpm": ImageDdpmSpec,
    "gmm": GmmSpec,
    "gmm_conditional": GmmConditionalSpec,
    "random_features": RandomFeaturesSpec,
    "rf_spectrum": RfSpectrumSpec,
    "score_1d": Score1dSpec,
    "timeseries": TimeseriesSpec,
}

AnyExperiment = Annotated[
    ImageDdpmSpec | GmmSpec | GmmConditionalSpec | RandomFeaturesSpec | RfSpectrumSpec | Score1dSpec | TimeseriesSpec,
    Field(discriminator="kind"),
]
