"""One file per experiment kind: what is trained, what is measured, and when."""

from tauscope.experiments.experiment import Experiment
from tauscope.experiments.gmm import GmmExperiment
from tauscope.experiments.image_ddpm import ImageDdpmExperiment
from tauscope.experiments.random_features import RandomFeaturesExperiment
from tauscope.experiments.recorder import Recorder
from tauscope.experiments.rf_spectrum import RfSpectrumExperiment
from tauscope.experiments.score_1d import Score1dExperiment
from tauscope.experiments.timeseries import TimeseriesExperiment

__all__ = ["EXPERIMENTS", "Experiment", "ImageDdpmExperiment", "Recorder", "Score1dExperiment", "TimeseriesExperiment"]

EXPERIMENTS: dict[str, type[Experiment]] = {
    "image_ddpm": ImageDdpmExperiment,
    "gmm": GmmExperiment,
    "gmm_conditional": GmmExperiment,
    "random_features": RandomFeaturesExperiment,
    "rf_spectrum": RfSpectrumExperiment,
    "score_1d": Score1dExperiment,
    "timeseries": TimeseriesExperiment,
}
