"""DDPM ancestral sampling (Ho et al. 2020, arXiv:2006.11239, algorithm 2)."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from tauscope.process import Diffusion
from tauscope.process.diffusion import predict_x0


def sample_ancestral(
    eps_model: Callable[[Tensor, Tensor], Tensor],
    diffusion: Diffusion,
    x_T: Float[Tensor, "batch ..."],
    *,
    generator: torch.Generator,
) -> Float[Tensor, "batch ..."]:
    """Draw samples through every trained index with the posterior variance; the last x0_hat is returned.

    The mean is that of q(x_s | x_t, x_0), eq. 7, at x_0 = x0_hat.
    """
    alpha_bar = diffusion.alpha_bar.tolist()
    x_t = x_T
    for t in range(diffusion.steps - 1, diffusion.first_trained_index - 1, -1):
        eps_hat = eps_model(x_t, torch.full((len(x_t),), t, device=x_t.device))
        x0_hat = predict_x0(x_t, eps_hat, alpha_bar[t])
        if t == diffusion.first_trained_index:
            break
        a_t, a_s = alpha_bar[t], alpha_bar[t - 1]
        beta = 1 - a_t / a_s
        mean = (a_s**0.5 * beta * x0_hat + (a_t / a_s) ** 0.5 * (1 - a_s) * x_t) / (1 - a_t)
        sigma = ((1 - a_s) / (1 - a_t) * beta) ** 0.5
        x_t = mean + sigma * torch.randn(x_t.shape, generator=generator, device=x_t.device)
    return x0_hat
