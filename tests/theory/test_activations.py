"""Hermite coefficients and the constants of the Gaussian equivalent."""

import math
from functools import partial

import numpy as np
import pytest
from scipy.integrate import dblquad, quad

from tauscope.theory.activations import ACTIVATIONS, GaussianConstants, Smooth, hermite
from tauscope.theory.errors import TheoryError

TANH = ACTIVATIONS["tanh"]


def expected(f, kink: float) -> float:
    """E[f(g)] by adaptive quadrature, told where the integrand may have a kink."""
    return quad(lambda g: f(g) * math.exp(-g * g / 2) / math.sqrt(2 * math.pi), -12, 12, points=[kink], epsabs=1e-13, limit=200)[0]


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_coefficients_and_second_moments_are_those_of_adaptive_quadrature(name: str) -> None:
    sigma, mean, scale = ACTIVATIONS[name], np.array([0.3, -1.1]), np.array([0.7, 0.2])
    found, square = sigma.coefficients(mean, scale, 6), sigma.second_moment(mean, scale)
    for place, (m, s) in enumerate(zip(mean, scale, strict=True)):
        for k in range(7):
            wanted = expected(lambda g: float(sigma(np.array(m + s * g)) * hermite(np.array(g), 6)[k]), -m / s)  # noqa: B023
            # quad's own error is about 1e-12 here.
            assert found[k, place] == pytest.approx(wanted, abs=2e-12)
        assert square[place] == pytest.approx(expected(lambda g: float(sigma(np.array(m + s * g))) ** 2, -m / s), abs=2e-12)  # noqa: B023


def test_squares_of_all_coefficients_add_up_to_the_second_moment() -> None:
    found = TANH.coefficients(np.array([0.4]), np.array([0.3]), 30)
    assert (found**2).sum() == pytest.approx(TANH.second_moment(np.array([0.4]), np.array([0.3]))[0], rel=1e-14)


@pytest.mark.parametrize(
    ("t", "a", "b", "v2", "s2"), [(0.01, 0.605706, 0.085233, 0.025542, 0.001874), (0.1, 0.605706, 0.257884, 0.013841, 0.013574)]
)
def test_constants_of_tanh_to_six_digits(t: float, a: float, b: float, v2: float, s2: float) -> None:
    # Numbers computed for this project by other code; b is sqrt(Delta) a.
    found = GaussianConstants.of(TANH, data=math.exp(-2 * t), noise=-math.expm1(-2 * t))
    assert [round(value, 6) for value in (found.a, found.b, found.v2, found.s2)] == [a, b, v2, s2]


def test_v2_is_the_double_integral_that_defines_it() -> None:
    data, noise = math.exp(-0.2), -math.expm1(-0.2)
    found = GaussianConstants.of(TANH, data=data, noise=noise)

    # (E_v sigma(c u + sqrt(Delta) v))^2 averaged over u, as E over u of two independent v: here with one v integrated by rows.
    def told(u: float) -> float:
        return expected(lambda v: math.tanh(math.sqrt(data) * u + math.sqrt(noise) * v), 0.0)

    assert found.v2 + found.a**2 * data == pytest.approx(expected(lambda u: told(u) ** 2, 0.0), abs=1e-10)
    mu1 = dblquad(partial(_mu1, data, noise), -9, 9, -9, 9, epsabs=1e-7)[0]
    assert found.mu1 == pytest.approx(mu1, abs=1e-6)


def _mu1(data: float, noise: float, u: float, v: float) -> float:
    gamma = math.sqrt(data + noise)
    x = math.sqrt(data) * u + math.sqrt(noise) * v
    return x / gamma * math.tanh(x) * math.exp(-(u * u + v * v) / 2) / (2 * math.pi)


def test_an_activation_without_a_gaussian_equivalent_is_refused() -> None:
    with pytest.raises(TheoryError, match=r"has mean 0\.399.*Use the exact U"):
        GaussianConstants.of(ACTIVATIONS["relu"], data=0.9, noise=0.1)
    with pytest.raises(TheoryError, match="has mean 1"):
        GaussianConstants.of(ACTIVATIONS["square"], data=0.9, noise=0.1)
    with pytest.raises(TheoryError, match="no first Hermite component"):
        GaussianConstants.of(Smooth(lambda x: x**3 - 3 * x), data=0.9, noise=0.1)
