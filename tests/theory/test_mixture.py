"""Scores and denoisers of mixtures, against the gradient of their density, Tweedie's formula and numerical integration."""

import numpy as np
import pytest
import torch
from torch import Tensor

from tauscope.theory.mixture import Mixture


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def uneven(components: int = 4, dim: int = 6) -> Mixture:
    """Other weights, centres and a standard deviation of its own in each component and dimension."""
    g = generator(7)
    return Mixture.of(
        2 * torch.randn(components, dim, generator=g), 0.3 + torch.rand(components, dim, generator=g), torch.arange(1, components + 1)
    )


def gradient(mixture: Mixture, x: Tensor) -> Tensor:
    leaf = x.clone().requires_grad_()
    (found,) = torch.autograd.grad(mixture.log_density(leaf).sum(), leaf)
    return found


@pytest.mark.parametrize("alpha_bar", [1.0, 0.999, 0.5, 0.01])
def test_the_score_is_the_gradient_of_the_log_density(alpha_bar: float) -> None:
    law = uneven().noised(alpha_bar)
    x = 2 * torch.randn(50, 6, generator=generator(0), dtype=torch.float64)
    torch.testing.assert_close(law.score(x), gradient(law, x), rtol=1e-10, atol=1e-10)  # float64, sums of few terms


@pytest.mark.parametrize("alpha_bar", [0.999, 0.5, 0.01])
def test_the_denoiser_is_tweedies_of_the_score(alpha_bar: float) -> None:
    mixture = uneven()
    x_t = 2 * torch.randn(50, 6, generator=generator(1), dtype=torch.float64)
    expected = (x_t + (1 - alpha_bar) * mixture.noised(alpha_bar).score(x_t)) / alpha_bar**0.5
    torch.testing.assert_close(mixture.denoised(x_t, alpha_bar), expected, rtol=1e-9, atol=1e-9)  # divides by sqrt(alpha_bar) >= .1


def test_the_density_is_that_of_a_torch_mixture() -> None:
    mixture, x = uneven(), torch.randn(20, 6, generator=generator(2), dtype=torch.float64)
    parts = torch.distributions.Independent(torch.distributions.Normal(mixture.means, mixture.stds), 1)
    oracle = torch.distributions.MixtureSameFamily(torch.distributions.Categorical(mixture.weights), parts)
    torch.testing.assert_close(mixture.log_density(x), oracle.log_prob(x))


def test_the_noised_law_is_the_convolution_with_the_noise() -> None:
    """In one dimension, by integrating p(x_0) N(x_t; sqrt(alpha_bar) x_0, 1 - alpha_bar) over a fine grid."""
    mixture, alpha_bar = uneven(3, 1), 0.7
    x_0 = torch.linspace(-12, 12, 20_001, dtype=torch.float64)
    prior = mixture.log_density(x_0[:, None]).exp()
    for x_t in (-1.5, 0.2, 3.0):
        kernel = (
            torch.distributions.Normal(alpha_bar**0.5 * x_0, (1 - alpha_bar) ** 0.5).log_prob(torch.tensor(x_t, dtype=torch.float64)).exp()
        )
        joint = prior * kernel
        at = torch.tensor([[x_t]], dtype=torch.float64)
        density = torch.trapezoid(joint, x_0)
        assert float(mixture.noised(alpha_bar).log_density(at).exp()) == pytest.approx(float(density), rel=1e-9)
        assert float(mixture.denoised(at, alpha_bar)) == pytest.approx(float(torch.trapezoid(joint * x_0, x_0) / density), abs=1e-8)


def test_draws_have_the_moments_of_the_mixture_and_tell_their_component() -> None:
    mixture, count = uneven(), 40_000
    x, k = mixture.sample(count, generator(3))
    shares = torch.bincount(k, minlength=4) / count
    torch.testing.assert_close(shares.double(), mixture.weights, rtol=0, atol=4 * 0.5 / count**0.5)  # four standard errors
    for component in range(4):
        own = x[k == component]
        error = 4.5 * mixture.stds[component].max().item() / len(own) ** 0.5
        torch.testing.assert_close(own.mean(0), mixture.means[component], rtol=0, atol=error)
        torch.testing.assert_close(own.std(0), mixture.stds[component], rtol=0, atol=error)


def test_a_component_alone_is_the_law_of_its_class() -> None:
    alone = uneven().component(2)
    x, _ = alone.sample(5, generator(4))
    expected = torch.distributions.Independent(torch.distributions.Normal(alone.means[0], alone.stds[0]), 1).log_prob(x)
    torch.testing.assert_close(alone.log_density(x), expected)


def test_far_away_points_have_a_finite_score_towards_the_nearest_centre() -> None:
    mixture = Mixture.of(torch.tensor([[-1.0], [1.0]]), 0.01)
    torch.testing.assert_close(mixture.score(torch.tensor([[1e3]])), torch.tensor([[-999 / 1e-4]], dtype=torch.float64))


@pytest.mark.parametrize(
    ("means", "stds", "weights", "message"),
    [
        (np.zeros((2, 3)), 0.0, None, "not positive"),
        (np.zeros((2, 3)), 1.0, [1.0, 0.0], "not positive"),
        (np.zeros((2, 3)), 1.0, [1.0], "one for each"),
        (np.full((2, 3), np.inf), 1.0, None, "not finite"),
    ],
)
def test_what_is_no_mixture_is_refused(means: np.ndarray, stds: float, weights: list[float] | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Mixture.of(torch.from_numpy(means), stds, None if weights is None else torch.tensor(weights))
