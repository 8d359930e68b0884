"""``image_ddpm``: train a U-Net on n images and measure quality and copying along training."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from tauscope.datasets import load_split
from tauscope.datasets.preparing import Progress, unwatched
from tauscope.experiments.denoiser import DenoiserExperiment
from tauscope.experiments.image_files import write_json, write_npz
from tauscope.experiments.image_measurement import ImageMeasurement
from tauscope.experiments.image_predictions import ImagePredictions
from tauscope.experiments.image_set import ImageSet
from tauscope.experiments.recorder import Recorder
from tauscope.networks import Parameterized, Preconditioned, UNet
from tauscope.networks.fourier_features import FourierFeatures
from tauscope.networks.unet import memory_format
from tauscope.process import Diffusion
from tauscope.specs import ExperimentSpec, ImageDdpmSpec, SpecError
from tauscope.training.penalty import FrequencyPenalty
from tauscope.training.seeding import seeded_initialization
from tauscope.training.team import Team
from tauscope.training.trainer import Trainer


class ImageDdpmExperiment(DenoiserExperiment):
    """One run, ready to train on its device.

    Args:
        spec: the run, resolved.
        device: where to compute.
        folder: the run's folder; images, samples and checkpoints are written below it.
        progress: told how many images are prepared, where they are not yet.
        team: with whom each training batch is shared.

    Raises:
        DatasetError: if the images cannot be had.
        SpecError: if labels are asked for where there are none.
    """

    def __init__(
        self, spec: ImageDdpmSpec, *, device: torch.device, folder: Path, progress: Progress = unwatched, team: Team | None = None
    ) -> None:
        split = load_split(spec.dataset, progress)
        self._record = split.record(spec.dataset)
        self._labels = {} if split.train_labels is None else {"labels": split.train_labels}
        labels = (_told(spec, part, device) for part in (split.train_labels, split.held_out_labels))
        self.images = ImageSet(_pixels(split.train).to(device), _pixels(split.held_out).to(device), *labels)
        self.diffusion = Diffusion.of(spec.process)
        x_0 = self.images.to_model(self.images.train)
        network = build_network(spec, self.diffusion, channels=x_0.shape[1], data_std=float(x_0.double().std()), labels=self.images.labels)
        self.diffusion = self.diffusion.to(device)
        network = network.to(device, memory_format=_layout(spec, device))  # type: ignore[call-overload]
        self.predictions = ImagePredictions(spec, self.images, self.diffusion)
        penalty = FrequencyPenalty(spec.penalty, self.diffusion) if spec.penalty else None
        trainer = Trainer(spec, network, self.diffusion, x_0, self.images.train_labels, team, penalty)
        trainer.data_sha256, trainer.labels_sha256 = self._record["sha256"], self._record["labels_sha256"]
        super().__init__(spec, folder, trainer, ImageMeasurement(spec, self.images, self.diffusion))

    def measurement_of(self, spec: ExperimentSpec) -> ImageMeasurement:
        assert isinstance(spec, ImageDdpmSpec)
        return ImageMeasurement(spec, self.images, self.diffusion)

    def write_predictions(self, recorder: Recorder, network: nn.Module) -> None:
        path = self.folder / "predictions" / f"{self.step}.npz"
        if self.predictions.write(network, path):
            recorder.predictions(self.step, path)

    def write_data(self, recorder: Recorder) -> None:
        recorder.dataset(
            write_npz(self.folder / "train.npz", images=self.images.train.cpu().numpy(), **self._labels),
            write_npz(self.folder / "held_out.npz", images=self.images.held_out.cpu().numpy()),
            write_json(self.folder / "dataset.json", self._record),
        )


def build_network(spec: ImageDdpmSpec, diffusion: Diffusion, *, channels: int, data_std: float, labels: int = 0) -> nn.Module:
    """The eps-predictor of the spec, its weights drawn from the spec's seed; ``labels`` is how many it is told, 0 for none."""
    network = spec.network
    with seeded_initialization(spec.seed):
        fourier = FourierFeatures(channels, network.fourier.count, network.fourier.scale) if network.fourier else None
        unet = UNet(
            channels,
            network.base_width,
            network.multipliers,
            network.attention,
            blocks=network.blocks,
            heads=network.heads,
            dropout=network.dropout,
            diffusion_steps=spec.process.steps,
            labels=labels,
            fourier=fourier,
        )
    if spec.preconditioning:
        return Preconditioned(unet, diffusion, data_std)
    return unet if spec.parameterization == "eps" else Parameterized(unet, diffusion, spec.parameterization)


def _layout(spec: ImageDdpmSpec, device: torch.device) -> torch.memory_format:
    chosen = spec.compute.memory_format
    if chosen == "auto":
        return memory_format(device, spec.dataset.size)
    return torch.channels_last if chosen == "channels_last" else torch.contiguous_format


def _told(spec: ImageDdpmSpec, labels: np.ndarray | None, device: torch.device) -> Tensor | None:
    if spec.network.classes is None:
        return None
    if labels is None:
        raise SpecError.single(
            "network.classes", f"{spec.dataset.name} has no labels", "Leave network.classes out, or name a labelled data set"
        )
    return torch.from_numpy(labels).to(device)


def _pixels(images: np.ndarray) -> Tensor:
    return torch.from_numpy(images).float() / 255
