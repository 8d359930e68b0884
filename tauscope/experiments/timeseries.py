"""``timeseries``: train a denoiser on n windows of a series and measure quality and copying along training."""

from pathlib import Path

import torch
from torch import nn

from tauscope.datasets.preparing import Progress, unwatched
from tauscope.datasets.series import load_windows
from tauscope.experiments.denoiser import DenoiserExperiment
from tauscope.experiments.image_files import write_json, write_npz
from tauscope.experiments.recorder import Recorder
from tauscope.experiments.window_measurement import WindowMeasurement
from tauscope.experiments.window_set import WindowSet
from tauscope.networks import Parameterized, Preconditioned
from tauscope.networks.unet1d import UNet1d
from tauscope.process import Diffusion
from tauscope.specs import ExperimentSpec
from tauscope.specs.timeseries import TimeseriesSpec
from tauscope.training.seeding import seeded_initialization
from tauscope.training.team import Team
from tauscope.training.trainer import Trainer


class TimeseriesExperiment(DenoiserExperiment):
    """One run, ready to train on its device.

    Args:
        spec: the run, resolved.
        device: where to compute.
        folder: the run's folder; windows, samples and checkpoints are written below it.
        progress: not told of anything: a series is read in a moment.
        team: with whom each training batch is shared.

    Raises:
        DatasetError: if the series cannot be had, or not used as it is.
    """

    def __init__(
        self, spec: TimeseriesSpec, *, device: torch.device, folder: Path, progress: Progress = unwatched, team: Team | None = None
    ) -> None:
        self._split = load_windows(spec.dataset)
        self.windows = WindowSet.of(self._split, device)
        diffusion = Diffusion.of(spec.process)
        network = build_network(spec, diffusion, channels=len(self._split.channels), data_std=float(self.windows.train.double().std()))
        self.diffusion = diffusion.to(device)
        trainer = Trainer(spec, network.to(device), self.diffusion, self.windows.train, team=team)
        super().__init__(spec, folder, trainer, WindowMeasurement(spec, self.windows, self.diffusion))

    def measurement_of(self, spec: ExperimentSpec) -> WindowMeasurement:
        assert isinstance(spec, TimeseriesSpec)
        return WindowMeasurement(spec, self.windows, self.diffusion)

    def write_data(self, recorder: Recorder) -> None:
        assert isinstance(self.spec, TimeseriesSpec)
        train, held_out = self._split.train, self._split.held_out
        recorder.dataset(
            write_npz(self.folder / "train.npz", images=train.values, starts=train.starts),
            write_npz(self.folder / "held_out.npz", images=held_out.values, starts=held_out.starts),
            write_json(self.folder / "dataset.json", self._split.record(self.spec.dataset)),
        )


def build_network(spec: TimeseriesSpec, diffusion: Diffusion, *, channels: int, data_std: float) -> nn.Module:
    """The eps-predictor of the spec, its weights drawn from the spec's seed."""
    network = spec.network
    with seeded_initialization(spec.seed):
        unet = UNet1d(
            channels,
            network.base_width,
            network.multipliers,
            blocks=network.blocks,
            dropout=network.dropout,
            diffusion_steps=spec.process.steps,
        )
    if spec.preconditioning:
        return Preconditioned(unet, diffusion, data_std)
    return unet if spec.parameterization == "eps" else Parameterized(unet, diffusion, spec.parameterization)
