"""``gmm`` and ``gmm_conditional``: train a perceptron on n draws of a known mixture, and measure it against what is known."""

from pathlib import Path

import torch
from torch import nn

from tauscope.datasets.preparing import Progress, unwatched
from tauscope.experiments.denoiser import DenoiserExperiment
from tauscope.experiments.image_files import write_json, write_npz
from tauscope.experiments.mixture_measurement import MixtureMeasurement
from tauscope.experiments.mixture_set import MixtureSet
from tauscope.experiments.recorder import Recorder
from tauscope.networks import Parameterized, Preconditioned
from tauscope.networks.fourier_features import FourierFeatures
from tauscope.networks.mlp import Mlp
from tauscope.process import Diffusion
from tauscope.specs import ExperimentSpec
from tauscope.specs.gmm import GmmSpec
from tauscope.training.seeding import seeded_initialization
from tauscope.training.team import Team
from tauscope.training.trainer import Trainer


class GmmExperiment(DenoiserExperiment):
    """One run, ready to train on its device.

    Args:
        spec: the run, resolved.
        device: where to compute.
        folder: the run's folder; points, samples and checkpoints are written below it.
        progress: told nothing, as the points are drawn at once.
        team: with whom each training batch is shared.
    """

    def __init__(
        self, spec: GmmSpec, *, device: torch.device, folder: Path, progress: Progress = unwatched, team: Team | None = None
    ) -> None:
        self.points = MixtureSet.draw(spec, device)
        self.diffusion = Diffusion.of(spec.process)
        network = build_mlp(spec, self.diffusion, data_std=float(self.points.train.double().std())).to(device)
        self.diffusion = self.diffusion.to(device)
        trainer = Trainer(spec, network, self.diffusion, self.points.train, self.points.train_labels, team)
        super().__init__(spec, folder, trainer, MixtureMeasurement(spec, self.points, self.diffusion))

    def measurement_of(self, spec: ExperimentSpec) -> MixtureMeasurement:
        assert isinstance(spec, GmmSpec)
        return MixtureMeasurement(spec, MixtureSet.draw(spec, self.points.train.device), self.diffusion)

    def write_data(self, recorder: Recorder) -> None:
        """The points, which are no images that pages could show, and the mixture they were drawn from."""
        population = self.points.population
        mixture = {"centres": population.means.tolist(), "stds": population.stds.tolist()}
        recorder.dataset(
            write_npz(self.folder / "train.npz", points=self.points.train.cpu().numpy()),
            write_npz(self.folder / "held_out.npz", points=self.points.held_out.cpu().numpy()),
            write_json(self.folder / "dataset.json", {"remarks": [], **mixture}),
        )


def build_mlp(spec: GmmSpec, diffusion: Diffusion, *, data_std: float) -> nn.Module:
    """The eps-predictor of the spec, its weights drawn from the spec's seed."""
    network = spec.network
    with seeded_initialization(spec.seed):
        fourier = FourierFeatures(spec.dataset.dim, network.fourier.count, network.fourier.scale) if network.fourier else None
        mlp = Mlp(
            spec.dataset.dim,
            network.base_width,
            network.blocks,
            diffusion_steps=spec.process.steps,
            labels=spec.labels,
            dropout=network.dropout,
            fourier=fourier,
        )
    if spec.preconditioning:
        return Preconditioned(mlp, diffusion, data_std)
    return mlp if spec.parameterization == "eps" else Parameterized(mlp, diffusion, spec.parameterization)
