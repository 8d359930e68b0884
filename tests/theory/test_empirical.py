"""The exact score and denoiser of a training set, against the gradient of its density and against a mixture of points."""

import pytest
import torch
from torch import Tensor

from tauscope.theory import empirical
from tauscope.theory.empirical import empirical_denoiser, empirical_eps, empirical_log_density, empirical_score
from tauscope.theory.mixture import Mixture

ALPHA_BARS = [0.9999, 0.8949, 0.3, 0.001]


def normal(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("alpha_bar", ALPHA_BARS)
def test_the_empirical_score_is_the_gradient_of_the_log_density(alpha_bar: float) -> None:
    images, x = normal(5, 1, 4, 4, seed=0), normal(3, 1, 4, 4, seed=1).requires_grad_()
    squared = (x[:, None] - alpha_bar**0.5 * images[None]).square().flatten(2).sum(2)
    (gradient,) = torch.autograd.grad(torch.logsumexp(-squared / (2 * (1 - alpha_bar)), dim=1).sum(), x)
    # Squares are expanded: at alpha_bar = .9999 a rounding of 1e-14 is divided by 2e-4 twice.
    torch.testing.assert_close(empirical_score(x.detach(), images, alpha_bar=alpha_bar), gradient, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("alpha_bar", ALPHA_BARS)
def test_a_training_set_is_a_mixture_of_narrow_gaussians(alpha_bar: float) -> None:
    data, x_t = normal(12, 3, seed=2), normal(40, 3, seed=3)
    mixture = Mixture.of(data, 1e-7)  # Its square is below the rounding of the noise's variance.
    law = mixture.noised(alpha_bar)
    torch.testing.assert_close(empirical_score(x_t, data, alpha_bar=alpha_bar), law.score(x_t), rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(empirical_denoiser(x_t, data, alpha_bar=alpha_bar), mixture.denoised(x_t, alpha_bar), rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(empirical_log_density(x_t, data, alpha_bar=alpha_bar), law.log_density(x_t), rtol=1e-6, atol=1e-6)


def test_a_set_larger_than_a_block_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    data, x_t = normal(100, 4, seed=4).float(), normal(30, 4, seed=5).float()
    functions = (empirical_score, empirical_denoiser, empirical_log_density)
    whole = [function(x_t, data, alpha_bar=0.97) for function in functions]
    monkeypatch.setattr(empirical, "SET_BLOCK", 7)
    monkeypatch.setattr(empirical, "POINT_BLOCK", 11)
    for function, expected in zip(functions, whole, strict=True):
        torch.testing.assert_close(function(x_t, data, alpha_bar=0.97), expected, rtol=1e-12, atol=1e-12)


def test_a_point_far_from_all_training_points_is_led_to_the_nearest() -> None:
    """Every weight but one underflows, in the first block as in the last; nothing is 0/0."""
    data = torch.cat([normal(10, 2, seed=6), torch.tensor([[50.0, 0.0]], dtype=torch.float64)])
    x_t = torch.tensor([[1e4, 0.0]])
    torch.testing.assert_close(empirical_denoiser(x_t, data, alpha_bar=0.9999), data[-1:])


def test_little_noise_leaves_the_training_point_and_much_noise_the_mean() -> None:
    data = normal(20, 5, seed=7)
    torch.testing.assert_close(empirical_denoiser(data, data, alpha_bar=1 - 1e-6), data, rtol=0, atol=1e-9)
    much = empirical_denoiser(normal(3, 5, seed=8), data, alpha_bar=1e-8)
    torch.testing.assert_close(much, data.mean(0).expand(3, 5), rtol=0, atol=1e-2)  # weights differ by sqrt(alpha_bar) times lengths


def test_no_predictor_has_a_lower_training_loss_than_the_exact_minimizer() -> None:
    """Over many noises at the training points; it is also below the population's exact predictor."""
    alpha_bar, data = 0.9, normal(16, 8, seed=9)
    eps = normal(4000, 8, seed=10)
    x_t = alpha_bar**0.5 * data.repeat(250, 1) + (1 - alpha_bar) ** 0.5 * eps
    population = -((1 - alpha_bar) ** 0.5) * Mixture.of(torch.zeros(1, 8), 1.0).noised(alpha_bar).score(x_t)
    exact = empirical_eps(x_t, data, alpha_bar=alpha_bar)
    assert (exact - eps).square().mean() < (population - eps).square().mean()
    nudged = [exact + 0.05 * normal(1, 8, seed=seed) for seed in range(20)]
    assert all((exact - eps).square().mean() < (other - eps).square().mean() for other in nudged)


@pytest.mark.parametrize("alpha_bar", [0.0, 1.0])
def test_without_noise_or_signal_there_is_no_posterior(alpha_bar: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        empirical_score(normal(1, 2, seed=0), normal(2, 2, seed=1), alpha_bar=alpha_bar)
