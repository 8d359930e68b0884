"""One file per experiment kind: what is trained, what is measured, and when."""

from tauscope.experiments.experiment import Experiment
from tauscope.experiments.image_ddpm import ImageDdpmExperiment
from tauscope.experiments.recorder import Recorder
from tauscope.experiments.score_1d import Score1dExperiment

__all__ = ["EXPERIMENTS", "Experiment", "ImageDdpmExperiment", "Recorder", "Score1dExperiment"]

EXPERIMENTS: dict[str, type[Experiment]] = {"image_ddpm": ImageDdpmExperiment, "score_1d": Score1dExperiment}
