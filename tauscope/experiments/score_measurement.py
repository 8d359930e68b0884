"""What is measured of a learned score: its error against the population's, and how far it has gone to that of the training points."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from tauscope.contracts.points import Point
from tauscope.experiments.losses import DenoiserLosses
from tauscope.experiments.measured import diverged_point, measured_point
from tauscope.experiments.training_set import TrainingSet
from tauscope.metrics.intervals import sums_interval
from tauscope.probes.noised_points import NoisedPoints
from tauscope.probes.projection import ProjectionProbe
from tauscope.probes.score_error import KnownScore
from tauscope.process import Diffusion
from tauscope.specs import Score1dSpec
from tauscope.theory.empirical import empirical_score
from tauscope.theory.mixture import Mixture
from tauscope.training.seeding import stream

_OF_POPULATION = ("e_score",)
_OF_TRAINING = ("score_to_training", "score_copied", "alpha", "alpha_orthogonal")
_INDEX = 0

Score = Float[Tensor, "point dim"]


class ScoreMeasurement:
    """Measures one run at fixed points; all that does not change along training is prepared once.

    Args:
        spec: the run.
        points: those that it learns, on the device.
        population: their law.
        diffusion: the forward process, on the device.
    """

    def __init__(self, spec: Score1dSpec, points: TrainingSet, population: Mixture, diffusion: Diffusion) -> None:
        self.spec = spec
        self.losses = DenoiserLosses(spec, points, diffusion)
        device, count = points.train.device, spec.measurement.points
        each, alpha_bar = torch.arange(count, device=device), float(diffusion.alpha_bar[_INDEX])
        x_t = population.noised(alpha_bar).sample(count, stream(spec.seed, "population_bank"))[0].to(device)
        drawn = NoisedPoints(x_t, _INDEX, alpha_bar, each)
        population = population.to(device)
        noised, noise = population.noised(alpha_bar), stream(spec.seed, "training_bank", device=device)
        self._population = KnownScore(drawn, noised.score(x_t))
        probe = ProjectionProbe.known(points.train, population, diffusion, index=_INDEX, points=count, generator=noise)
        # The training points are those of this run: of them nothing is uncertain but the noise.
        self._probe = replace(probe, at=replace(probe.at, origin=each))
        self._training = KnownScore(self._probe.at, probe.s_0 + probe.delta)
        self._baselines = {
            "e_score_train": _e_score(self._population, empirical_score(x_t, points.train, alpha_bar=alpha_bar)),
            "e_score_linear": _e_score(self._population, _linear_score(x_t, noised)),
        }

    @torch.no_grad()
    def without_samples(self, network: nn.Module, step: int, further: Mapping[str, nn.Module]) -> list[Point]:
        """Losses, errors of the score and alpha, with what stands beside them; of further averages the held-out loss."""
        found = self.losses.measured(network, step) + self._compared(network, step)
        found += [point for name, average in further.items() for point in self.losses.held_out_points(average, step, name)]
        return found + [measured_point(step, name, value, self._count) for name, value in self._baselines.items()]

    def samples(
        self, network: nn.Module, step: int, path: Path, further: Mapping[str, nn.Module], *, go_on: Callable[[float], bool]
    ) -> list[Point]:
        """None: one diffusion time is not enough to draw any."""
        return []

    @property
    def _count(self) -> int:
        return self.spec.measurement.points

    def _compared(self, network: nn.Module, step: int) -> list[Point]:
        banks = (self._population.at, self._training.at)
        there, here = (score_of(network, bank.x_t.float(), bank.alpha_bar) for bank in banks)
        if not bool(torch.isfinite(there).all() and torch.isfinite(here).all()):
            return [diverged_point(step, name, self._count) for name in (*_OF_POPULATION, *_OF_TRAINING)]
        found = (
            _e_score(self._population, there),
            _e_score(self._training, here),
            self._copied(here),
            self._probe.of_score(here),
            self._probe.orthogonal(here),
        )
        return [measured_point(step, name, value, self._count) for name, value in zip((*_OF_POPULATION, *_OF_TRAINING), found, strict=True)]

    def _copied(self, s_theta: Score) -> tuple[float, float, float]:
        """1 - |s_theta - s_train| / |s_pop - s_train|, root mean squares over the noised training points; (value, low, high)."""
        away, whole = (part.square().sum(1).cpu().numpy() for part in (s_theta - self._training.score, self._probe.delta))
        return sums_interval(lambda left, most: 1 - np.sqrt(left / most), away, whole)


def _e_score(known: KnownScore, s_theta: Score) -> tuple[float, float, float]:
    """E|s_theta - s|^2 a dimension, with its 95 % interval over points; (value, low, high)."""
    value, low, high = (number / (1 - known.at.alpha_bar) for number in known.error(s_theta))
    return value, low, high


@torch.no_grad()
def score_of(network: nn.Module, x_t: Float[Tensor, "point dim"], alpha_bar: float) -> Score:
    """The score of an eps-predictor at one diffusion time, float64: -eps_hat / sqrt(1 - alpha_bar)."""
    t = torch.zeros(len(x_t), dtype=torch.long, device=x_t.device)
    return -network(x_t, t).double() / (1 - alpha_bar) ** 0.5


def _linear_score(x_t: Score, law: Mixture) -> Score:
    """The score of the Gaussian with the mean and the variance of a law: the best that is linear in x_t."""
    mean = law.weights @ law.means
    variance = law.weights @ (law.stds.square() + law.means.square()) - mean.square()
    return (mean - x_t) / variance
