"""One file per experiment kind: what is trained, what is measured, and when."""

from tauscope.experiments.image_ddpm import ImageDdpmExperiment
from tauscope.experiments.recorder import Recorder

__all__ = ["EXPERIMENTS", "ImageDdpmExperiment", "Recorder"]

EXPERIMENTS = {"image_ddpm": ImageDdpmExperiment}
