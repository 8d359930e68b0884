"""The error of a learned score against one that is known exactly, at fixed noised points."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy import ndarray
from torch import Tensor

from tauscope.metrics.intervals import ratio_interval


@dataclass(frozen=True)
class KnownScore:
    """A score at points.

    Attributes:
        score: grad log p_t at each, float64.
        alpha_bar: of all points.
        origin: which data point each was noised from; points of one origin are not independent.
    """

    score: Float[Tensor, "point ..."]
    alpha_bar: float
    origin: Int[Tensor, " point"]

    def error(self, s_theta: Float[Tensor, "point ..."]) -> tuple[float, float, float]:
        """(1 - alpha_bar) / d E|s_theta - s|^2, with its 95 % jackknife interval over origins; (value, low, high).

        As eps = -sqrt(1 - alpha_bar) s it is the mean squared error of the predicted noise against the exact prediction, per
        dimension: what the loss has beyond its least. E_score of arXiv:2505.17638 is this over 1 - alpha_bar.
        """
        squared = (1 - self.alpha_bar) * (s_theta - self.score).square().flatten(1).mean(1)
        return ratio_interval(*by_origin(self.origin, squared, torch.ones_like(squared)))


def by_origin(origin: Int[Tensor, " point"], *terms: Float[Tensor, " point"]) -> tuple[Float[ndarray, " origin"], ...]:
    """Each term summed over the points of every origin, float64."""
    sums = torch.zeros(len(terms), int(origin.max()) + 1, dtype=torch.float64, device=origin.device)
    sums.index_add_(1, origin, torch.stack(terms).double())
    return tuple(np.asarray(row) for row in sums.cpu().numpy())
