"""``score_1d``: train a small network on points on a line at one diffusion time, and keep the score that it has learnt."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from tauscope.contracts.scores import ExactScores
from tauscope.datasets.preparing import Progress, unwatched
from tauscope.experiments.denoiser import DenoiserExperiment
from tauscope.experiments.image_files import write_json, write_npz
from tauscope.experiments.recorder import Recorder
from tauscope.experiments.score_measurement import ScoreMeasurement, score_of
from tauscope.networks import Parameterized, Preconditioned
from tauscope.networks.perceptron import Perceptron
from tauscope.process import Diffusion
from tauscope.specs import ExperimentSpec, Score1dSpec
from tauscope.theory.empirical import empirical_score
from tauscope.theory.mixture import Mixture
from tauscope.training.seeding import seeded_initialization, stream
from tauscope.training.team import Team
from tauscope.training.trainer import Trainer

BLOCK = 64
REACH = 4.0  # Standard deviations beyond the outermost centre that the scores are drawn at.


@dataclass(frozen=True)
class LinePoints:
    """Training and held-out points, which are the network's own units."""

    train: Float[Tensor, "n_train 1"]
    held_out: Float[Tensor, "n_held_out 1"]
    train_labels: None = None
    held_out_labels: None = None

    @classmethod
    def drawn(cls, spec: Score1dSpec, population: Mixture, device: torch.device) -> "LinePoints":
        """Those of the spec's seed, of each component in turn; of one seed, fewer points are the first of more."""
        asked = (("train", spec.dataset.n_train), ("held_out", spec.dataset.n_held_out))
        train, held_out = (_in_turn(population, count, stream(spec.seed, "points", part)).float().to(device) for part, count in asked)
        return cls(train, held_out)

    def to_model(self, points: Tensor, /) -> Tensor:
        return points


def _in_turn(population: Mixture, count: int, generator: torch.Generator) -> Float[Tensor, "count 1"]:
    """Drawn by blocks of one size: how many are asked for moves none of them."""
    noise = torch.cat([torch.randn(BLOCK, 1, generator=generator, dtype=torch.float64) for _ in range(-(-count // BLOCK))])[:count]
    k = torch.arange(count) % len(population.means)
    return population.means[k] + population.stds[k] * noise


class Score1dExperiment(DenoiserExperiment):
    """One run, ready to train on its device.

    Args:
        spec: the run, resolved.
        device: where to compute.
        folder: the run's folder; points, scores and checkpoints are written below it.
        progress: never told anything; nothing has to be prepared.
        team: with whom each training batch is shared.
    """

    spec: Score1dSpec

    def __init__(
        self, spec: Score1dSpec, *, device: torch.device, folder: Path, progress: Progress = unwatched, team: Team | None = None
    ) -> None:
        self.population = population_of(spec)
        self.points = LinePoints.drawn(spec, self.population, device)
        diffusion = Diffusion.of(spec.process)
        network = build_network(spec, diffusion, data_std=float(self.points.train.double().std())).to(device)
        self.diffusion = diffusion.to(device)
        trainer = Trainer(spec, network, self.diffusion, self.points.train, None, team)
        super().__init__(spec, folder, trainer, self.measurement_of(spec))

    def measurement_of(self, spec: ExperimentSpec) -> ScoreMeasurement:
        assert isinstance(spec, Score1dSpec)
        return ScoreMeasurement(spec, self.points, self.population, self.diffusion)

    def write_predictions(self, recorder: Recorder, network: nn.Module) -> None:
        """The learned score where the exact ones are drawn; nothing if it is not finite."""
        x = torch.from_numpy(drawn_at(self.spec, self.population)).float()[:, None].to(self.points.train.device)
        learned = score_of(network, x, float(self.diffusion.alpha_bar[0]))[:, 0].float().cpu().numpy()
        if np.isfinite(learned).all():
            path = write_npz(self.folder / "predictions" / f"{self.step}.npz", predictions=learned)
            recorder.predictions(self.step, path)

    def write_data(self, recorder: Recorder) -> None:
        exact = exact_scores(self.spec, self.population, self.points.train)
        recorder.dataset(
            write_npz(self.folder / "train.npz", points=self.points.train.cpu().numpy()),
            write_npz(self.folder / "held_out.npz", points=self.points.held_out.cpu().numpy()),
            write_json(self.folder / "dataset.json", {"remarks": [], "scores": exact.model_dump(mode="json")}),
        )


def population_of(spec: Score1dSpec) -> Mixture:
    """The law that the points are drawn from."""
    return Mixture.of(torch.tensor(spec.dataset.means, dtype=torch.float64)[:, None], spec.dataset.sigma)


def drawn_at(spec: Score1dSpec, population: Mixture) -> Float[np.ndarray, " x"]:
    """The values of x_t at which scores are kept: evenly over nearly all that the population holds at that time."""
    noised = population.noised(float(Diffusion.of(spec.process).alpha_bar[0]))
    low, high = float((noised.means - REACH * noised.stds).min()), float((noised.means + REACH * noised.stds).max())
    return np.linspace(low, high, spec.measurement.grid)


def exact_scores(spec: Score1dSpec, population: Mixture, train: Float[Tensor, "n_train 1"]) -> ExactScores:
    """The score of the population and that of the training points, in closed form."""
    alpha_bar, grid = float(Diffusion.of(spec.process).alpha_bar[0]), drawn_at(spec, population)
    x, noised = torch.from_numpy(grid)[:, None], population.noised(alpha_bar)
    return ExactScores(
        t=spec.process.t,
        alpha_bar=alpha_bar,
        training=tuple(train.cpu().double()[:, 0].tolist()),
        x=tuple(grid.tolist()),
        density=tuple(noised.log_density(x).exp().tolist()),
        population=tuple(noised.score(x)[:, 0].tolist()),
        empirical=tuple(empirical_score(x, train.cpu(), alpha_bar=alpha_bar)[:, 0].tolist()),
    )


def build_network(spec: Score1dSpec, diffusion: Diffusion, *, data_std: float) -> nn.Module:
    """The eps-predictor of the spec, its weights drawn from the spec's seed."""
    asked = spec.network
    with seeded_initialization(spec.seed):
        network = Perceptron(1, asked.base_width, layers=asked.layers, activation=asked.activation)
    if spec.preconditioning:
        return Preconditioned(network, diffusion, data_std)
    return network if spec.parameterization == "eps" else Parameterized(network, diffusion, spec.parameterization)
