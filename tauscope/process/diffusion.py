"""x_t = sqrt(alpha_bar_t) x_0 + sqrt(1 - alpha_bar_t) eps, and what follows from it."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from tauscope.specs.alpha_bar import alpha_bars
from tauscope.specs.process import LinearSpec, ProcessSpec


@dataclass(frozen=True)
class Diffusion:
    """A discrete forward process of T steps (Ho et al. 2020, arXiv:2006.11239).

    Attributes:
        alpha_bar: float64, shape (T,), strictly decreasing in (0, 1); index 0 is the least noise.
        first_trained_index: the lowest index the network is trained at; sampling never asks below it.
    """

    alpha_bar: Float[Tensor, " steps"]
    first_trained_index: int = 0

    @classmethod
    def of(cls, process: ProcessSpec) -> "Diffusion":
        """The process that a spec names."""
        return cls(torch.from_numpy(alpha_bars(process)), process.first_trained_index)

    @property
    def steps(self) -> int:
        return len(self.alpha_bar)

    def to(self, device: torch.device) -> "Diffusion":
        return Diffusion(self.alpha_bar.to(device), self.first_trained_index)

    def at(self, t: Int[Tensor, " batch"], *, like: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch ..."]:
        """alpha_bar at each index, float32, shaped to multiply points of any shape."""
        return self.alpha_bar[t].float().view(-1, *(1,) * (like.ndim - 1))

    def noised(
        self, x_0: Float[Tensor, "batch ..."], t: Int[Tensor, " batch"], eps: Float[Tensor, "batch ..."]
    ) -> Float[Tensor, "batch ..."]:
        """x_t for given noise; eq. 4 of arXiv:2006.11239."""
        alpha_bar = self.at(t, like=x_0)
        return alpha_bar.sqrt() * x_0 + (1 - alpha_bar).sqrt() * eps


def linear_schedule(steps: int, *, beta_min: float, beta_max: float, first_trained_index: int = 0) -> Diffusion:
    """beta rising linearly from beta_min at index 0 to beta_max at the last index; alpha_bar_t = prod_{s<=t} (1 - beta_s)."""
    return Diffusion.of(LinearSpec(steps=steps, beta_min=beta_min, beta_max=beta_max, first_trained_index=first_trained_index))


def predict_x0(
    x_t: Float[Tensor, "batch ..."],
    eps_hat: Float[Tensor, "batch ..."],
    alpha_bar: float,
) -> Float[Tensor, "batch ..."]:
    """x0_hat = (x_t - sqrt(1 - alpha_bar) eps_hat) / sqrt(alpha_bar)."""
    return (x_t - (1 - alpha_bar) ** 0.5 * eps_hat) / alpha_bar**0.5
