"""The score of a run's network against those that are known exactly: of the population, and of its training points."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from torch import nn

from tauscope.contracts.points import Point
from tauscope.experiments.measured import diverged_point, measured_point
from tauscope.experiments.mixture_set import MixtureSet
from tauscope.probes.noised_points import NoisedPoints, in_turn
from tauscope.probes.projection import ProjectionProbe
from tauscope.probes.score_error import KnownScore
from tauscope.process import Diffusion
from tauscope.specs.gmm import GmmSpec
from tauscope.theory.empirical import empirical_score
from tauscope.training.seeding import stream

Estimate = tuple[float, float, float]


@dataclass(frozen=True)
class _Fixed:
    """What does not change at an index.

    Attributes:
        at_train: noised training points, with the way from the population's score to the empirical one.
        empirical: the empirical score there.
        population: the population's score at noised fresh draws.
        held_out: noised training and held-out points, with the way from one empirical score to the other.
        memorizer: the empirical score's own error against the population's.
    """

    at_train: ProjectionProbe
    empirical: KnownScore
    population: KnownScore
    held_out: ProjectionProbe
    memorizer: Estimate

    def estimates(self, network: nn.Module) -> Iterator[tuple[str, Estimate]]:
        """Of a network, by name."""
        at_train = self.at_train.at.score_of(network)
        yield "alpha", self.at_train.of_score(at_train)
        yield "alpha_orthogonal", self.at_train.orthogonal(at_train)
        yield "alpha_ho", self.held_out.measure(network)
        yield "score_error", self.population.error(self.population.at.score_of(network))
        yield "score_error_empirical", self.empirical.error(at_train)


class MixtureScores:
    """Measures score errors, alpha, its orthogonal part and alpha_ho at every chosen index.

    A network that is told labels is asked without one, as the scores are those of the whole mixture.

    Args:
        spec: the run.
        points: its points, on the device.
        diffusion: the forward process, on the device.
    """

    def __init__(self, spec: GmmSpec, points: MixtureSet, diffusion: Diffusion) -> None:
        self.spec = spec
        self.points = points
        self.diffusion = diffusion

    def measured(self, network: nn.Module, step: int) -> list[Point]:
        """All of it at a step; a network that is no longer finite gives missing points."""
        count = self.spec.measurement.score_points
        found = []
        for index, fixed in self._fixed.items():
            for name, estimate in fixed.estimates(network):
                finite = all(abs(number) < float("inf") for number in estimate)
                metric, points = f"{name}@{index}", 2 * count if name == "alpha_ho" else count
                found.append(measured_point(step, metric, estimate, points) if finite else diverged_point(step, metric, points))
            found.append(measured_point(step, f"score_error@{index}_train", fixed.memorizer, count))
        return found

    @cached_property
    def _fixed(self) -> dict[int, _Fixed]:
        return {index: self._at(index) for index in self.spec.measurement.score_indices}

    def _at(self, index: int) -> _Fixed:
        points, count = self.points, self.spec.measurement.score_points
        train, device = points.train, points.train.device
        noise = {name: stream(self.spec.seed, "score_noise", name, index, device=device) for name in ("train", "fresh", "held_out")}
        known = ProjectionProbe.known(train, points.population, self.diffusion, index=index, points=count, generator=noise["train"])
        rivals = points.held_out[: len(train)]
        held_out = ProjectionProbe.held_out(train, rivals, self.diffusion, index=index, points=count, generator=noise["held_out"])
        fresh = NoisedPoints.of(points.fresh, in_turn(count, points.fresh), self.diffusion, index=index, generator=noise["fresh"])
        population = KnownScore(fresh, points.population.noised(fresh.alpha_bar).score(fresh.x_t))
        memorizer = population.error(empirical_score(fresh.x_t, train, alpha_bar=fresh.alpha_bar))
        return _Fixed(known, KnownScore(known.at, known.s_0 + known.delta), population, held_out, memorizer)
