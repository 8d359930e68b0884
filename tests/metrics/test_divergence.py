"""The divergence estimate against Kullback and Leibler's closed form for Gaussians, and its error where it has one."""

import numpy as np
import pytest

from tauscope.metrics.divergence import divergence


def log_normal(x: np.ndarray, std: float = 1.0) -> np.ndarray:
    dim = x.shape[1]
    return -((x / std) ** 2).sum(1) / 2 - dim / 2 * np.log(2 * np.pi * std**2)


@pytest.mark.parametrize("dim", [1, 2, 4])
def test_it_finds_the_divergence_of_a_gaussian_from_a_wider_one(dim: int) -> None:
    """log s + (1/s^2 - 1)/2 a dimension; its interval, wider than needed, holds it in nearly all of 20."""
    truth, rng = dim * (np.log(1.5) + (1 / 1.5**2 - 1) / 2), np.random.default_rng(dim)
    found = []
    for _ in range(20):
        x = rng.normal(size=(256, dim))
        found.append(divergence(x, log_normal(x, 1.5)))
    values = np.array([value for value, _, _ in found])
    assert values.mean() == pytest.approx(truth, abs=0.1)  # three neighbours reach far in the tails of four dimensions
    assert sum(low <= truth <= high for _, low, high in found) >= 17


def test_of_equal_laws_it_is_none_in_eight_dimensions_and_far_too_low_in_thirty_two() -> None:
    rng = np.random.default_rng(0)
    few, many = (rng.normal(size=(1024, dim)) for dim in (8, 32))
    _, low, high = divergence(few, log_normal(few))
    assert low < 0 < high
    assert divergence(many, log_normal(many))[2] < -2.5  # why the same estimate of fresh draws is drawn beside it


def test_samples_that_crowd_around_a_few_points_are_far_from_any_density() -> None:
    rng = np.random.default_rng(1)
    spread, points = rng.normal(size=(512, 4)), rng.normal(size=(16, 4))
    crowded = points[rng.integers(16, size=512)] + 0.01 * rng.normal(size=(512, 4))
    assert divergence(crowded, log_normal(crowded))[1] > divergence(spread, log_normal(spread))[2] + 5


def test_copies_of_one_point_have_no_density() -> None:
    with pytest.raises(ValueError, match="no density"):
        divergence(np.zeros((20, 2)), np.zeros(20))
