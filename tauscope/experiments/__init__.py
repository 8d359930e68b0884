"""One file per experiment kind: what is trained, what is measured, and when."""

from tauscope.experiments.experiment import Experiment
from tauscope.experiments.gmm import GmmExperiment
from tauscope.experiments.image_ddpm import ImageDdpmExperiment
from tauscope.experiments.recorder import Recorder

__all__ = ["EXPERIMENTS", "Experiment", "ImageDdpmExperiment", "Recorder"]

EXPERIMENTS: dict[str, type[Experiment]] = {
    "image_ddpm": ImageDdpmExperiment,
    "gmm": GmmExperiment,
    "gmm_conditional": GmmExperiment,
}
