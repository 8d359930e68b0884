"""The error of a learned score against one that is known exactly, at fixed noised points."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from tauscope.metrics.intervals import ratio_interval
from tauscope.probes.noised_points import NoisedPoints


@dataclass(frozen=True)
class KnownScore:
    """A score at noised points.

    Attributes:
        at: the points.
        score: grad log p_t at each, float64.
    """

    at: NoisedPoints
    score: Float[Tensor, "point ..."]

    def error(self, s_theta: Float[Tensor, "point ..."]) -> tuple[float, float, float]:
        """(1 - alpha_bar) / d E|s_theta - s|^2, with its 95 % jackknife interval over data points; (value, low, high).

        As eps = -sqrt(1 - alpha_bar) s it is the mean squared error of the predicted noise against the exact prediction, per
        dimension: what the loss has beyond its least. E_score of arXiv:2505.17638 is this over 1 - alpha_bar.
        """
        squared = (1 - self.at.alpha_bar) * (s_theta - self.score).square().flatten(1).mean(1)
        return ratio_interval(*self.at.by_origin(squared, torch.ones_like(squared)))
