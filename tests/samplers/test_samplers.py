"""Samplers reach the data distribution where the exact predictor is known, and leave no noise behind."""

import pytest
import torch

from tauscope.process import Diffusion, linear_schedule
from tauscope.samplers import sample_ancestral, sample_ddim
from tauscope.samplers.ddim import ddim_indices

MEAN, STD = 0.4, 0.2


def gaussian_eps(diffusion: Diffusion) -> object:
    """The exact predictor for x_0 ~ N(MEAN, STD^2): E[eps | x_t]."""

    def eps_hat(x_t: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        alpha_bar = diffusion.alpha_bar[t].view(-1, 1, 1, 1)
        variance = alpha_bar * STD**2 + 1 - alpha_bar
        return (1 - alpha_bar).sqrt() * (x_t - alpha_bar.sqrt() * MEAN) / variance

    return eps_hat


@pytest.fixture
def diffusion() -> Diffusion:
    return linear_schedule(1000, beta_min=1e-4, beta_max=2e-2, first_trained_index=1)


def noise(n: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(n, 1, 1, 1, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_ddim_visits_the_noisiest_and_the_least_noisy_trained_index(diffusion: Diffusion) -> None:
    indices = ddim_indices(diffusion, 20)
    assert (indices[0], indices[-1], len(indices)) == (999, 1, 20)


def test_deterministic_ddim_converges_to_the_exact_flow_at_first_order(diffusion: Diffusion) -> None:
    """The probability flow maps N(0, 1) to N(MEAN, STD^2) monotonically, here x_0 = MEAN + STD x_T up to alpha_bar_T."""
    x_T = noise(64)
    exact = sample_ddim(gaussian_eps(diffusion), diffusion, x_T, steps=999, generator=torch.Generator())  # type: ignore[arg-type]
    errors = []
    for steps in (25, 50, 100):
        x_0 = sample_ddim(gaussian_eps(diffusion), diffusion, x_T, steps=steps, generator=torch.Generator())  # type: ignore[arg-type]
        errors.append(float((x_0 - exact).abs().mean()))
    # Halving the step halves the error; 1.7 leaves room for the next order.
    assert errors[0] / errors[1] > 1.7
    assert errors[1] / errors[2] > 1.7


@pytest.mark.parametrize("sampler", ["ddim", "ddim-eta-1", "ancestral"])
def test_samples_have_the_mean_and_spread_of_the_data(diffusion: Diffusion, sampler: str) -> None:
    x_T, generator = noise(4000), torch.Generator().manual_seed(1)
    predictor = gaussian_eps(diffusion)
    if sampler == "ancestral":
        x_0 = sample_ancestral(predictor, diffusion, x_T, generator=generator)  # type: ignore[arg-type]
    else:
        x_0 = sample_ddim(predictor, diffusion, x_T, steps=500, eta=float(sampler.endswith("1")), generator=generator)  # type: ignore[arg-type]
    # Four standard errors of the mean, and 5 % of the spread: 4000 samples give it to 1.1 %, discretisation takes the rest.
    assert abs(float(x_0.mean()) - MEAN) < 4 * STD / 4000**0.5 + 0.005
    assert float(x_0.std()) == pytest.approx(STD, rel=0.05)


def test_the_same_noise_gives_the_same_samples(diffusion: Diffusion) -> None:
    draws = [
        sample_ddim(gaussian_eps(diffusion), diffusion, noise(8), steps=20, generator=torch.Generator())  # type: ignore[arg-type]
        for _ in range(2)
    ]
    torch.testing.assert_close(*draws, rtol=0, atol=0)
