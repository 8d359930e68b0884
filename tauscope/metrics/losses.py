"""The denoising loss of a set at one noise level, on a noise bank that never changes along training."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy import ndarray
from torch import Tensor

from tauscope.metrics.intervals import Z95, mean_interval
from tauscope.process import Diffusion

LOSS_BATCH = 512


@dataclass(frozen=True)
class NoiseBank:
    """Fixed (point, noise) pairs at one diffusion index.

    Attributes:
        x_t: the noised points.
        eps: their noise.
        index: the 0-based diffusion index of all of them.
        labels: of the points, where the network is told them.
    """

    x_t: Float[Tensor, "pair ..."]
    eps: Float[Tensor, "pair ..."]
    index: int
    labels: Int[Tensor, " pair"] | None = None

    @classmethod
    def draw(
        cls,
        points: Float[Tensor, "point ..."],
        diffusion: Diffusion,
        *,
        index: int,
        pairs: int,
        generator: torch.Generator,
        labels: Int[Tensor, " point"] | None = None,
    ) -> "NoiseBank":
        """Draw the bank: the points in turn, each pair with noise of its own."""
        turn = torch.arange(pairs, device=points.device) % len(points)
        x_0 = points[turn]
        eps = torch.randn(x_0.shape, generator=generator, device=points.device)
        t = torch.full((pairs,), index, device=points.device)
        return cls(diffusion.noised(x_0, t, eps), eps, index, None if labels is None else labels[turn])

    @torch.no_grad()
    def losses(self, eps_model: Callable[..., Tensor]) -> Float[ndarray, " pair"]:
        """Squared error of eps_hat(x_t, t), or eps_hat(x_t, t, labels), per component, for each pair, float64."""
        errors = [difference.square().flatten(1).mean(1) for difference in self.differences(eps_model)]
        return torch.cat(errors).double().cpu().numpy()

    def differences(self, eps_model: Callable[..., Tensor]) -> Iterator[Float[Tensor, "batch ..."]]:
        """eps_hat - eps, batch by batch; times -sqrt((1 - alpha_bar) / alpha_bar) it is x0_hat - x0."""
        t = torch.full((len(self.x_t),), self.index, device=self.x_t.device)
        asked = (self.x_t, t) if self.labels is None else (self.x_t, t, self.labels)
        for eps, *block in zip(self.eps.split(LOSS_BATCH), *(part.split(LOSS_BATCH) for part in asked), strict=True):
            yield eps_model(*block) - eps


@dataclass(frozen=True)
class LossGap:
    """Train and held-out loss and the relative gap (L_held_out - L_train) / L_held_out, each (value, low, high)."""

    train: tuple[float, float, float]
    held_out: tuple[float, float, float]
    gap: tuple[float, float, float]


def loss_gap(train: Float[ndarray, " pair"], held_out: Float[ndarray, " pair"]) -> LossGap:
    """Means with 95 % intervals over pairs; the gap's interval by the delta method, the two sets being independent."""
    train_mean, held_mean = float(train.mean()), float(held_out.mean())
    gap = 1 - train_mean / held_mean
    train_error = float(train.std(ddof=1)) / np.sqrt(len(train))
    held_error = float(held_out.std(ddof=1)) / np.sqrt(len(held_out))
    error = float(np.hypot(train_error / held_mean, train_mean * held_error / held_mean**2))
    return LossGap(mean_interval(train), mean_interval(held_out), (gap, gap - Z95 * error, gap + Z95 * error))
