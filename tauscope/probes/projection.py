"""The projection order parameter: how far a network's score has moved from one reference towards the score of its training points."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor

from tauscope.metrics.intervals import ratio_interval, sums_interval
from tauscope.probes.noised_points import NoisedPoints, in_turn
from tauscope.process import Diffusion
from tauscope.samplers import EpsModel
from tauscope.theory.empirical import empirical_score
from tauscope.theory.mixture import Mixture

Points = Float[Tensor, "point ..."]
Sums = ndarray | np.floating  # With one data point left out each, or of all.


@dataclass(frozen=True)
class ProjectionProbe:
    """Fixed points, and at them a score s_0 and the direction delta in which copying leads away from it.

    alpha = sum <s_theta - s_0, delta> / sum |delta|^2. Two pairs of s_0 and delta are used:

    - ``known``: s_0 the population's score, delta = s_train - s_0, at noised training points. alpha is 0 for the population's score, 1 for
      the exact minimizer of the training loss. At other points its null is not 0.
    - ``held_out``, where the population is not known: with the empirical scores s_train and s_held of two equally large sets, s_0 is their
      mean and delta = s_train - s_held, at points noised half from each. This alpha_ho is about 0 for a network that knows neither set,
      1/2 for one that has memorized the first, -1/2 for one that has memorized the other.

    Attributes:
        at: the points.
        s_0: the score at which alpha is 0.
        delta: where one unit of alpha leads.
    """

    at: NoisedPoints
    s_0: Points
    delta: Points

    @classmethod
    def held_out(
        cls, train: Points, held_out: Points, diffusion: Diffusion, *, index: int, points: int, generator: torch.Generator
    ) -> "ProjectionProbe":
        """Draw ``points`` from each set, the data points in turn, each with noise of its own."""
        turn = in_turn(points, train)
        origin = torch.cat([turn, turn + len(train)])
        at = NoisedPoints.of(torch.cat([train, held_out]), origin, diffusion, index=index, generator=generator)
        s_train, s_held = (empirical_score(at.x_t, part, alpha_bar=at.alpha_bar) for part in (train, held_out))
        return cls(at, (s_train + s_held) / 2, s_train - s_held)

    @classmethod
    def known(
        cls, train: Points, population: Mixture, diffusion: Diffusion, *, index: int, points: int, generator: torch.Generator
    ) -> "ProjectionProbe":
        """Draw ``points`` from the training set, the data points in turn, each with noise of its own."""
        at = NoisedPoints.of(train, in_turn(points, train), diffusion, index=index, generator=generator)
        s_0 = population.noised(at.alpha_bar).score(at.x_t.flatten(1)).view(at.x_t.shape)
        return cls(at, s_0, empirical_score(at.x_t, train, alpha_bar=at.alpha_bar) - s_0)

    def measure(self, eps_model: EpsModel) -> tuple[float, float, float]:
        """alpha with its 95 % jackknife interval over data points; (value, low, high)."""
        return self.of_score(self.at.score_of(eps_model))

    def of_score(self, s_theta: Points) -> tuple[float, float, float]:
        """alpha of a score at the points."""
        along, squared, _ = self._terms(s_theta)
        return ratio_interval(along, squared)

    def orthogonal(self, s_theta: Points) -> tuple[float, float, float]:
        """What of s_theta - s_0 does not lie along delta, as a length in that of delta; (value, low, high), as for alpha.

        sqrt(sum |s_theta - s_0 - alpha delta|^2 / sum |delta|^2): errors that are no copying.
        """
        value, low, high = sums_interval(_orthogonal, *self._terms(s_theta))
        return value, max(low, 0.0), high

    def _terms(self, s_theta: Points) -> tuple[ndarray, ...]:
        """Of every data point: <s_theta - s_0, delta>, |delta|^2 and |s_theta - s_0|^2, summed over its noised points."""
        moved = s_theta - self.s_0
        products = ((moved * self.delta), self.delta.square(), moved.square())
        return self.at.by_origin(*(part.flatten(1).sum(1) for part in products))


def _orthogonal(along: Sums, squared: Sums, moved: Sums) -> Sums:
    return np.sqrt(np.maximum(moved / squared - (along / squared) ** 2, 0))
