"""How well samples follow the population: energy distance, log-likelihood, divergence, each beside what fresh draws score."""

from collections.abc import Iterator
from functools import cached_property

import torch
from torch import Tensor

from tauscope.contracts.points import Point
from tauscope.experiments.measured import diverged_point, measured_point
from tauscope.experiments.mixture_set import MixtureSet
from tauscope.metrics.divergence import divergence
from tauscope.metrics.energy_distance import EnergyReference
from tauscope.metrics.intervals import mean_interval
from tauscope.training.seeding import stream

Estimate = tuple[float, float, float]
NAMES = ("energy_distance", "log_likelihood", "kl")


class MixtureQuality:
    """Measures samples against the population; what does not change along training is computed once.

    Args:
        seed: of the run.
        points: its points, on the device.
    """

    def __init__(self, seed: int, points: MixtureSet) -> None:
        self.seed = seed
        self.points = points

    def measured(self, samples: Tensor, step: int) -> list[Point]:
        """Of samples in model units."""
        return [_point(step, name, estimate, len(samples)) for name, estimate in self._of(samples)]

    def diverged(self, step: int, count: int) -> list[Point]:
        """The points of samples that are no numbers."""
        return [diverged_point(step, name, count) for name in NAMES]

    def baselines(self, step: int) -> list[Point]:
        """What fresh draws score, and the energy distance of training points drawn with replacement: what a perfect copier scores."""
        count = len(self.points.fresh)
        fresh = [_point(step, f"{name}_floor", estimate, count) for name, estimate in self._fresh]
        return [*fresh, measured_point(step, "energy_distance_train", self._copier, count)]

    @cached_property
    def _fresh(self) -> list[tuple[str, Estimate | str]]:
        return list(self._of(self.points.fresh))

    @cached_property
    def _copier(self) -> Estimate:
        train, count = self.points.train, len(self.points.fresh)
        drawn = torch.randint(len(train), (count,), generator=stream(self.seed, "mixture", "copier"))
        return self._reference.distance(train[drawn.to(train.device)].cpu().numpy())

    @cached_property
    def _reference(self) -> EnergyReference:
        return EnergyReference(self.points.reference.cpu().numpy())

    def _of(self, samples: Tensor) -> Iterator[tuple[str, Estimate | str]]:
        log_density, rows = self.points.population.log_density(samples).cpu().numpy(), samples.cpu().numpy()
        yield "energy_distance", self._reference.distance(rows)
        yield "log_likelihood", mean_interval(log_density)
        try:
            yield "kl", divergence(rows, log_density)
        except ValueError as error:
            yield "kl", str(error)


def _point(step: int, name: str, found: Estimate | str, count: int) -> Point:
    if isinstance(found, str):
        return Point(step=step, metric=name, value=None, count=count, reason=found)
    return measured_point(step, name, found, count)
