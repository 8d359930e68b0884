"""DDIM (Song et al. 2021, arXiv:2010.02502)."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from tauscope.process import Diffusion
from tauscope.process.diffusion import predict_x0


def ddim_indices(diffusion: Diffusion, steps: int) -> list[int]:
    """``steps`` evenly spaced diffusion indices, from the noisiest to the lowest trained one, both included."""
    grid = torch.linspace(diffusion.steps - 1, diffusion.first_trained_index, steps, dtype=torch.float64)
    return [int(index) for index in grid.round()]


def ddim_step(
    x0_hat: Float[Tensor, "batch ..."],
    eps_hat: Float[Tensor, "batch ..."],
    *,
    alpha_bar_t: float,
    alpha_bar_s: float,
    eta: float,
    generator: torch.Generator,
) -> Float[Tensor, "batch ..."]:
    """Move from time t to an earlier s; eq. 12 and 16 of arXiv:2010.02502 (their alpha is our alpha_bar)."""
    variance = eta**2 * (1 - alpha_bar_s) / (1 - alpha_bar_t) * (1 - alpha_bar_t / alpha_bar_s)
    x_s = alpha_bar_s**0.5 * x0_hat + (1 - alpha_bar_s - variance) ** 0.5 * eps_hat
    if eta == 0:
        return x_s
    return x_s + variance**0.5 * torch.randn(x_s.shape, generator=generator, device=x_s.device)


def sample_ddim(
    eps_model: Callable[[Tensor, Tensor], Tensor],
    diffusion: Diffusion,
    x_T: Float[Tensor, "batch ..."],
    *,
    steps: int,
    eta: float = 0.0,
    generator: torch.Generator,
) -> Float[Tensor, "batch ..."]:
    """Draw samples with ``steps`` network evaluations; the last one's x0_hat is returned.

    No trained index is left out at the low end, so no noise of level alpha_bar_0 stays in the samples.
    """
    indices = ddim_indices(diffusion, steps)
    alpha_bar = diffusion.alpha_bar.tolist()
    x_t = x_T
    for t, s in zip(indices, [*indices[1:], None], strict=True):
        eps_hat = eps_model(x_t, torch.full((len(x_t),), t, device=x_t.device))
        x0_hat = predict_x0(x_t, eps_hat, alpha_bar[t])
        if s is not None:
            x_t = ddim_step(x0_hat, eps_hat, alpha_bar_t=alpha_bar[t], alpha_bar_s=alpha_bar[s], eta=eta, generator=generator)
    return x0_hat
