"""``image_ddpm``: train a U-Net on n images and measure quality and copying along training."""

import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from tauscope.contracts.points import Point
from tauscope.datasets import load_split
from tauscope.datasets.preparing import Progress, unwatched
from tauscope.experiments.image_files import write_json, write_npz
from tauscope.experiments.image_measurement import ImageMeasurement, SamplingBrokenOffError
from tauscope.experiments.image_predictions import ImagePredictions
from tauscope.experiments.image_set import ImageSet
from tauscope.experiments.recorder import Recorder
from tauscope.networks import Parameterized, Preconditioned, UNet
from tauscope.networks.unet import memory_format
from tauscope.process import Diffusion
from tauscope.specs import ImageDdpmSpec, SpecError
from tauscope.training.checkpoints import CheckpointError, load_checkpoint, save_checkpoint
from tauscope.training.seeding import seeded_initialization
from tauscope.training.team import Team
from tauscope.training.trainer import Trainer

PROGRESS_SECONDS = 0.2


class ImageDdpmExperiment:
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
        self.spec = spec
        self.folder = folder
        split = load_split(spec.dataset, progress)
        self._record = split.record(spec.dataset)
        labels = (_told(spec, part, device) for part in (split.train_labels, split.held_out_labels))
        self.images = ImageSet(_pixels(split.train).to(device), _pixels(split.held_out).to(device), *labels)
        self.diffusion = Diffusion.of(spec.process)
        x_0 = self.images.to_model(self.images.train)
        network = build_network(spec, self.diffusion, channels=x_0.shape[1], data_std=float(x_0.double().std()), labels=self.images.labels)
        self.diffusion = self.diffusion.to(device)
        network = network.to(device, memory_format=_layout(spec, device))  # type: ignore[call-overload]
        self.trainer = Trainer(spec, network, self.diffusion, x_0, self.images.train_labels, team)
        self._sample_steps = sample_steps(spec)
        self._loss_steps = loss_steps(spec)
        self.measurement = ImageMeasurement(spec, self.images, self.diffusion)
        self.predictions = ImagePredictions(spec, self.images, self.diffusion)

    def run(self, recorder: Recorder, *, checkpoint: Path | None = None) -> bool:
        """Train from the checkpoint, or from the start, until the steps are done or the recorder ends the segment.

        Returns:
            Whether the run has all its steps.

        Raises:
            DivergedError: if the loss is no longer a number.
            CheckpointError: if the checkpoint cannot be resumed from.
        """
        self.begin(checkpoint)
        recorder.dataset(*self._write_images())
        saved = self.trainer.step
        reported = 0.0
        while self.trainer.step < self.spec.steps:
            loss = self.trainer.advance()
            if time.monotonic() - reported > PROGRESS_SECONDS:
                reported = time.monotonic()
                recorder.progress(self.trainer.step, float(loss))
            unevaluated = self._measure(recorder)
            ending = recorder.should_end()
            if ending or self.trainer.step in self._sample_steps or self.trainer.step == self.spec.steps:
                self.trainer.check_finite()
                self._save(recorder, unevaluated=unevaluated)
                saved = self.trainer.step
            if ending:
                break
        assert saved == self.trainer.step
        return self.trainer.step >= self.spec.steps

    def evaluate(self, recorder: Recorder, checkpoint: Path | None, *, step: int) -> bool:
        """Draw and measure the samples of a step, to the same numbers as while training.

        From a checkpoint of an earlier step, or from none, the steps in between are trained again.

        Returns:
            Whether it was done; else the recorder broke it off.

        Raises:
            CheckpointError: if the checkpoint cannot be read.
        """
        if not self._reach(recorder, checkpoint, step):
            return False
        points = self._sample(recorder, self.trainer.average.settle())
        if points is not None:
            recorder.measured(self.trainer.step, points)
        return points is not None

    def remeasure(self, recorder: Recorder, checkpoint: Path | None, *, step: int, spec: ImageDdpmSpec) -> bool:
        """Measure a step again as the ``measurement`` of another spec says: losses, probes and samples.

        With the run's own measurement the numbers are those of training. The samples stay in the folder and are not recorded.

        Returns:
            Whether it was done; else the recorder broke it off.

        Raises:
            CheckpointError: if the checkpoint cannot be read.
        """
        if not self._reach(recorder, checkpoint, step):
            return False
        measurement, network = ImageMeasurement(spec, self.images, self.diffusion), self.trainer.average.settle()
        further, path = self.trainer.further_networks(), self.folder / "samples" / f"{step}.npz"
        points = measurement.without_samples(network, step, further)
        if spec.only_index is None:
            try:
                points += measurement.samples(network, step, path, further, go_on=lambda share: recorder.sampling(step, share))
            except SamplingBrokenOffError:
                return False
        recorder.measured(step, points)
        return True

    def _reach(self, recorder: Recorder, checkpoint: Path | None, step: int) -> bool:
        """Train from a checkpoint to a step; whether the recorder let it."""
        self.begin(checkpoint)
        while self.trainer.step < step:
            self.trainer.advance()
            if not recorder.sampling(step, 0.0):
                return False
        return True

    def begin(self, checkpoint: Path | None) -> None:
        """Go on from a checkpoint, from the one that the spec forks from, or start from scratch."""
        fork = self.spec.fork
        if checkpoint is None and fork is not None:
            if fork.path is None:
                raise CheckpointError(f"the checkpoint of step {fork.step} of run {fork.run} is not here; fork from another one")
            checkpoint = Path(fork.path)
        if checkpoint is not None:
            load_checkpoint(self.trainer, checkpoint)

    def _measure(self, recorder: Recorder) -> bool:
        """Measure what is due at this step; whether its samples are left to another process."""
        step = self.trainer.step
        if step not in self._loss_steps:
            return False
        network = self.trainer.average.settle()
        path = self.folder / "predictions" / f"{step}.npz"
        if self.predictions.write(network, path):
            recorder.predictions(step, path)
        points = self.measurement.without_samples(network, step, self.trainer.further_networks())
        sampling = step in self._sample_steps
        sampled = self._sample(recorder, network) if sampling and not recorder.defers_samples() else None
        recorder.measured(step, points + (sampled or []))
        return sampling and sampled is None

    def _sample(self, recorder: Recorder, network: nn.Module) -> list[Point] | None:
        """Draw, write and measure samples; ``None`` if the recorder broke it off."""
        step = self.trainer.step
        path = self.folder / "samples" / f"{step}.npz"
        try:
            points = self.measurement.samples(
                network, step, path, self.trainer.further_networks(), go_on=lambda share: recorder.sampling(step, share)
            )
        except SamplingBrokenOffError:
            return None
        if path.is_file():
            recorder.samples(step, path, self.spec.measurement.n_generated)
        return points

    def _save(self, recorder: Recorder, *, unevaluated: bool) -> None:
        files = save_checkpoint(self.trainer, self.folder / "checkpoints")
        recorder.checkpoint(self.trainer.step, files.weights, files.state, unevaluated=unevaluated)

    def _write_images(self) -> tuple[Path, Path, Path]:
        return (
            write_npz(self.folder / "train.npz", images=self.images.train.cpu().numpy()),
            write_npz(self.folder / "held_out.npz", images=self.images.held_out.cpu().numpy()),
            write_json(self.folder / "dataset.json", self._record),
        )


def sample_steps(spec: ImageDdpmSpec) -> frozenset[int]:
    """The steps at which samples are drawn."""
    return frozenset(spec.measurement.schedule.steps(spec.steps)) if spec.only_index is None else frozenset()


def loss_steps(spec: ImageDdpmSpec) -> frozenset[int]:
    """The steps at which losses are measured; every step of the schedule is one of them, whether it is sampled or not."""
    extra = spec.measurement.loss_schedule
    return frozenset(spec.measurement.schedule.steps(spec.steps)) | (frozenset(extra.steps(spec.steps)) if extra else frozenset())


def build_network(spec: ImageDdpmSpec, diffusion: Diffusion, *, channels: int, data_std: float, labels: int = 0) -> nn.Module:
    """The eps-predictor of the spec, its weights drawn from the spec's seed; ``labels`` is how many it is told, 0 for none."""
    network = spec.network
    with seeded_initialization(spec.seed):
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
