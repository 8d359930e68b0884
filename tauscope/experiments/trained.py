"""A trained model out of a checkpoint, to sample from."""

from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn

from tauscope.experiments.image_ddpm import ImageDdpmExperiment
from tauscope.experiments.image_measurement import ImageMeasurement
from tauscope.experiments.image_set import ImageSet
from tauscope.process import Diffusion
from tauscope.specs import ImageDdpmSpec
from tauscope.training.checkpoints import load_checkpoint, read_state


@dataclass(frozen=True)
class TrainedModel:
    """What a run had learnt by a step.

    Attributes:
        spec: the run's.
        step: training steps done.
        network: predicts eps from (x_t, t) with the averaged weights, on which everything is measured.
        diffusion: the forward process.
        images: the training and held-out images; the training images set the scale of the model.
    """

    spec: ImageDdpmSpec
    step: int
    network: nn.Module
    diffusion: Diffusion
    images: ImageSet

    def draw(self, count: int | None = None, *, seed: int | None = None) -> Float[Tensor, "count channel height width"]:
        """Samples in [0, 1], drawn with the sampler of the spec; without arguments those that the run itself drew at this step.

        Args:
            count: how many; by default as many as the run drew.
            seed: of the starting noise; by default the run's.
        """
        measurement = self.spec.measurement
        spec = self.spec.model_copy(
            update={
                "seed": self.spec.seed if seed is None else seed,
                "measurement": measurement.model_copy(update={"n_generated": measurement.n_generated if count is None else count}),
            }
        )
        return ImageMeasurement(spec, self.images, self.diffusion).generate(self.network)


def open_checkpoint(state_file: Path, *, device: str = "cpu", dataset_path: str | None = None) -> TrainedModel:
    """The model of a checkpoint, given its ``.json``.

    Args:
        state_file: the checkpoint's ``.json``, its ``.safetensors`` beside it.
        device: where to compute.
        dataset_path: where the data set is here, if not where the run had it.

    Raises:
        CheckpointError: if the files are damaged or of another format.
        DatasetError: if the images cannot be had.
    """
    spec = ImageDdpmSpec.model_validate(read_state(state_file)["spec"])
    dataset = spec.dataset if dataset_path is None else spec.dataset.model_copy(update={"path": dataset_path})
    here = spec.model_copy(update={"dataset": dataset})
    experiment = ImageDdpmExperiment(here, device=torch.device(device), folder=state_file.parent)
    # The checkpoint belongs to the spec as it was, wherever the images lie.
    experiment.trainer.spec = spec
    load_checkpoint(experiment.trainer, state_file)
    return TrainedModel(spec, experiment.trainer.step, experiment.trainer.average.settle(), experiment.diffusion, experiment.images)
