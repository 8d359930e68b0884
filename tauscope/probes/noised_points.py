"""Fixed noised data points at which a network is asked for its score."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy import ndarray
from torch import Tensor

from tauscope.process import Diffusion
from tauscope.samplers import EpsModel

BLOCK = 512

Points = Float[Tensor, "point ..."]


@dataclass(frozen=True)
class NoisedPoints:
    """Points x_t of one noise level.

    Attributes:
        x_t: the points.
        index: their 0-based diffusion index.
        alpha_bar: alpha_bar there.
        origin: which data point each was noised from; points of one are not independent.
    """

    x_t: Points
    index: int
    alpha_bar: float
    origin: Int[Tensor, " point"]

    @classmethod
    def of(
        cls,
        data: Float[Tensor, "datum ..."],
        origin: Int[Tensor, " point"],
        diffusion: Diffusion,
        *,
        index: int,
        generator: torch.Generator,
    ) -> "NoisedPoints":
        """The data points of these places, each with noise of its own."""
        x_0 = data[origin]
        eps = torch.randn(x_0.shape, generator=generator, device=x_0.device)
        t = torch.full((len(x_0),), index, device=x_0.device)
        return NoisedPoints(diffusion.noised(x_0, t, eps), index, float(diffusion.alpha_bar[index]), origin)

    @torch.no_grad()
    def score_of(self, eps_model: EpsModel) -> Points:
        """A network's score at the points, float64."""
        t = torch.full((len(self.x_t),), self.index, device=self.x_t.device)
        eps_hat = torch.cat([eps_model(*block) for block in zip(self.x_t.split(BLOCK), t.split(BLOCK), strict=True)])
        return -eps_hat.double() / (1 - self.alpha_bar) ** 0.5

    def by_origin(self, *terms: Float[Tensor, " point"]) -> tuple[Float[ndarray, " origin"], ...]:
        """Each term summed over the points of every origin, float64."""
        sums = torch.zeros(len(terms), int(self.origin.max()) + 1, dtype=torch.float64, device=self.origin.device)
        sums.index_add_(1, self.origin, torch.stack(terms).double())
        return tuple(np.asarray(row) for row in sums.cpu().numpy())


def in_turn(points: int, data: Float[Tensor, "datum ..."]) -> Int[Tensor, " point"]:
    """So many places of data points, one after the other and from the first again."""
    return torch.arange(points, device=data.device) % len(data)
