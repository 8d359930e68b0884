"""The projection order parameter: how far a network's score has moved from one reference towards the score of its training points."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy import ndarray
from torch import Tensor

from tauscope.metrics.intervals import ratio_interval, sums_interval
from tauscope.metrics.score_error import by_origin
from tauscope.process import Diffusion
from tauscope.samplers import EpsModel
from tauscope.theory.empirical import empirical_score
from tauscope.theory.mixture import Mixture

BLOCK = 512

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
        x_t: the points.
        index: their 0-based diffusion index.
        alpha_bar: alpha_bar there.
        origin: which data point each was noised from; points of one are not independent.
        s_0: the score at which alpha is 0.
        delta: where one unit of alpha leads.
    """

    x_t: Points
    index: int
    alpha_bar: float
    origin: Int[Tensor, " point"]
    s_0: Points
    delta: Points

    @classmethod
    def held_out(
        cls,
        train: Float[Tensor, "image ..."],
        held_out: Float[Tensor, "image ..."],
        diffusion: Diffusion,
        *,
        index: int,
        points: int,
        generator: torch.Generator,
    ) -> "ProjectionProbe":
        """Draw ``points`` from each set, the images in turn, each with noise of its own."""
        turn = torch.arange(points, device=train.device) % len(train)
        origin = torch.cat([turn, turn + len(train)])
        x_t, alpha_bar = _noised(torch.cat([train, held_out])[origin], diffusion, index, generator)
        s_train, s_held = (empirical_score(x_t, images, alpha_bar=alpha_bar) for images in (train, held_out))
        return cls(x_t, index, alpha_bar, origin, (s_train + s_held) / 2, s_train - s_held)

    @classmethod
    def known(
        cls, train: Points, population: Mixture, diffusion: Diffusion, *, index: int, points: int, generator: torch.Generator
    ) -> "ProjectionProbe":
        """Draw ``points`` from the training set, its points in turn, each with noise of its own."""
        origin = torch.arange(points, device=train.device) % len(train)
        x_t, alpha_bar = _noised(train[origin], diffusion, index, generator)
        s_0 = population.noised(alpha_bar).score(x_t.flatten(1)).view(x_t.shape)
        return cls(x_t, index, alpha_bar, origin, s_0, empirical_score(x_t, train, alpha_bar=alpha_bar) - s_0)

    @torch.no_grad()
    def measure(self, eps_model: EpsModel) -> tuple[float, float, float]:
        """alpha with its 95 % jackknife interval over data points; (value, low, high)."""
        return self.of_score(self.score_of(eps_model))

    @torch.no_grad()
    def score_of(self, eps_model: EpsModel) -> Points:
        """A network's score at the points, float64."""
        t = torch.full((len(self.x_t),), self.index, device=self.x_t.device)
        eps_hat = torch.cat([eps_model(*block) for block in zip(self.x_t.split(BLOCK), t.split(BLOCK), strict=True)])
        return -eps_hat.double() / (1 - self.alpha_bar) ** 0.5

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
        return by_origin(self.origin, *(part.flatten(1).sum(1) for part in products))


def _orthogonal(along: Sums, squared: Sums, moved: Sums) -> Sums:
    return np.sqrt(np.maximum(moved / squared - (along / squared) ** 2, 0))


def _noised(x_0: Tensor, diffusion: Diffusion, index: int, generator: torch.Generator) -> tuple[Tensor, float]:
    eps = torch.randn(x_0.shape, generator=generator, device=x_0.device)
    t = torch.full((len(x_0),), index, device=x_0.device)
    return diffusion.noised(x_0, t, eps), float(diffusion.alpha_bar[index])
