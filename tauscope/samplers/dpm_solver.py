"""DPM-Solver++(2M): the probability flow to second order in steps of log-SNR (Lu et al. 2022, arXiv:2211.01095, algorithm 2)."""

from collections.abc import Callable
from math import expm1

import torch
from jaxtyping import Float
from torch import Tensor

from tauscope.process import Diffusion
from tauscope.process.diffusion import predict_x0


def log_snr(diffusion: Diffusion) -> Float[Tensor, " steps"]:
    """lambda = log(sqrt(alpha_bar) / sqrt(1 - alpha_bar)) at every index, half the logarithm of the signal-to-noise ratio."""
    return torch.logit(diffusion.alpha_bar) / 2


def log_snr_indices(diffusion: Diffusion, steps: int) -> list[int]:
    """``steps`` different trained indices, from the noisiest to the lowest, as evenly spaced in lambda as the indices allow."""
    first, last = diffusion.first_trained_index, diffusion.steps - 1
    rising = -log_snr(diffusion).cpu()[first:]
    asked = torch.linspace(float(rising[-1]), float(rising[0]), steps, dtype=torch.float64)
    after = torch.searchsorted(rising, asked).clamp(1, len(rising) - 1)
    nearest = first + after - (asked - rising[after - 1] < rising[after] - asked).long()
    # Near the image neighbours are further apart in lambda than a short step: each index is taken once, and those above move up.
    indices = [last]
    for place, index in enumerate(nearest.tolist()[1:], start=1):
        indices.append(max(min(index, indices[-1] - 1), first + steps - 1 - place))
    return indices


def sample_dpm_solver(
    eps_model: Callable[[Tensor, Tensor], Tensor],
    diffusion: Diffusion,
    x_T: Float[Tensor, "batch ..."],
    *,
    steps: int,
) -> Float[Tensor, "batch ..."]:
    """Draw samples with ``steps`` network evaluations and no noise; the last one's x0_hat is returned.

    With h the step in lambda and r the last step over this one, x0_hat is continued linearly to the middle of the step:
    D = (1 + 1/2r) x0_hat - 1/2r x0_hat_before, x_s = sigma_s / sigma_t x_t + sqrt(alpha_bar_s) (1 - exp(-h)) D. The first step is
    of first order, which leaves the whole at second.
    """
    indices = log_snr_indices(diffusion, steps)
    alpha_bar, level = diffusion.alpha_bar.tolist(), log_snr(diffusion).tolist()
    x_t, h_before, before = x_T, 0.0, x_T
    for t, s in zip(indices, [*indices[1:], None], strict=True):
        x0_hat = predict_x0(x_t, eps_model(x_t, torch.full((len(x_t),), t, device=x_t.device)), alpha_bar[t])
        if s is None:
            break
        h = level[s] - level[t]
        continued = x0_hat + h / (2 * h_before) * (x0_hat - before) if h_before else x0_hat
        sigma_ratio = ((1 - alpha_bar[s]) / (1 - alpha_bar[t])) ** 0.5
        x_t = sigma_ratio * x_t - alpha_bar[s] ** 0.5 * expm1(-h) * continued
        h_before, before = h, x0_hat
    return x0_hat
