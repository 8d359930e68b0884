"""Samplers reach the data distribution where the exact predictor is known, and leave no noise behind."""

import pytest
import torch

from tauscope.process import Diffusion, linear_schedule
from tauscope.samplers import guided, sample_ancestral, sample_ddim, sample_dpm_solver
from tauscope.samplers.ddim import ddim_indices
from tauscope.samplers.dpm_solver import log_snr, log_snr_indices

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


def exact_x0_hat(diffusion: Diffusion, x_T: torch.Tensor) -> torch.Tensor:
    """What the probability flow of the Gaussian leads to at the lowest trained index, and x0_hat there.

    Its marginals are Gaussian, so the flow keeps the standardized position: x_t = mean_t + sd_t / sd_T (x_T - mean_T).
    """
    ends = diffusion.alpha_bar[[diffusion.first_trained_index, -1]]
    spread = (ends * STD**2 + 1 - ends).sqrt()
    x_t = ends[0].sqrt() * MEAN + spread[0] / spread[1] * (x_T - ends[1].sqrt() * MEAN)
    t = torch.full((len(x_T),), diffusion.first_trained_index)
    eps_hat = gaussian_eps(diffusion)(x_t, t)  # type: ignore[operator]
    return (x_t - (1 - ends[0]).sqrt() * eps_hat) / ends[0].sqrt()


@pytest.mark.parametrize("diffusion_steps", [1000, 20_000])
def test_dpm_solver_converges_to_the_exact_flow_at_second_order(diffusion_steps: int) -> None:
    """Slope -2 of the error in the number of steps; up to about 15 steps the first one, of first order, still weighs."""
    finer = diffusion_steps / 1000
    diffusion = linear_schedule(diffusion_steps, beta_min=1e-4 / finer, beta_max=2e-2 / finer, first_trained_index=int(finer))
    x_T, counts = noise(64), [20, 28, 40, 56, 80]
    errors = [
        float((sample_dpm_solver(gaussian_eps(diffusion), diffusion, x_T, steps=steps) - exact_x0_hat(diffusion, x_T)).abs().mean())  # type: ignore[arg-type]
        for steps in counts
    ]
    logs = torch.tensor([counts, errors], dtype=torch.float64).log()
    centred = logs - logs.mean(1, keepdim=True)
    assert float((centred[0] * centred[1]).sum() / centred[0].square().sum()) == pytest.approx(-2, abs=0.2)


@pytest.mark.parametrize("steps", [2, 5, 20, 100, 999])
def test_dpm_solver_visits_as_many_indices_as_asked_once_each(diffusion: Diffusion, steps: int) -> None:
    indices = log_snr_indices(diffusion, steps)
    assert (indices[0], indices[-1], len(indices)) == (999, 1, steps)
    assert sorted(set(indices), reverse=True) == indices


def test_dpm_solvers_steps_in_log_snr_are_even_where_there_are_indices_enough(diffusion: Diffusion) -> None:
    widths = log_snr(diffusion)[log_snr_indices(diffusion, 10)].diff()
    # At the lowest indices neighbours are 0.2 to 0.3 apart, so that a step of 1.0 is met to within half of that.
    assert float(widths.max() / widths.min()) < 1.3


def test_guidance_moves_away_from_the_answer_without_a_label() -> None:
    """eps = (1 + w) eps(label) - w eps(none), arXiv:2207.12598, eq. 6."""
    asked: list[list[int]] = []

    def network(x_t: torch.Tensor, t: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        asked.append(labels.tolist())
        return labels.view(-1, 1, 1, 1) * torch.ones_like(x_t)

    labels, x_t, t = torch.tensor([2, 5]), torch.zeros(2, 1, 1, 1), torch.tensor([9, 9])
    assert guided(network, labels, 0.0)(x_t, t).flatten().tolist() == [2, 5]
    assert guided(network, labels, 3.0)(x_t, t).flatten().tolist() == [4 * 2 + 3, 4 * 5 + 3]
    assert asked == [[2, 5], [2, 5, -1, -1]]


@pytest.mark.parametrize("sampler", ["ddim", "ddim-eta-1", "ancestral", "dpm-solver"])
def test_samples_have_the_mean_and_spread_of_the_data(diffusion: Diffusion, sampler: str) -> None:
    x_T, generator = noise(4000), torch.Generator().manual_seed(1)
    predictor = gaussian_eps(diffusion)
    if sampler == "dpm-solver":
        x_0 = sample_dpm_solver(predictor, diffusion, x_T, steps=50)  # type: ignore[arg-type]
    elif sampler == "ancestral":
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
