"""Nearest distances against their closed forms, and the null of being nearer to training than to held-out points."""

import numpy as np
import pytest
import torch
from scipy.stats import chi

from tauscope.metrics.closeness import mean_nearest, nearest_distances, share_nearer
from tauscope.metrics.memorization import measure_memorization
from tauscope.metrics.neighbours import References


def normal(count: int, dim: int, seed: int) -> torch.Tensor:
    return torch.randn(count, dim, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("dim", [2, 16])
def test_draws_of_a_gaussian_lie_from_its_centre_by_the_mean_of_chi(dim: int) -> None:
    value, low, high = mean_nearest(nearest_distances(normal(4000, dim, 0), References(torch.zeros(1, dim))))
    assert low < chi(dim).mean() < high
    assert value == pytest.approx(chi(dim).mean(), rel=0.03)


def test_a_copier_is_nearer_to_training_points_and_fresh_draws_to_either() -> None:
    """Over many pairs of sets fresh draws are nearer to the first in half of the cases; given two sets they need not be."""
    shares = []
    for seed in range(40):
        train, held_out, fresh = (normal(24, 6, 3 * seed + part) for part in range(3))
        pair = [References(part) for part in (train, held_out)]
        shares.append(share_nearer(*(nearest_distances(fresh, references) for references in pair))[0])
        copies = share_nearer(*(nearest_distances(train + 0.01, references) for references in pair))
        assert copies[0] == copies[2] == 1.0
        assert copies[1] < 0.9  # 24 of 24: the exact interval begins at .858
    assert np.mean(shares) == pytest.approx(0.5, abs=4 * np.std(shares) / 40**0.5)


@pytest.mark.parametrize(("dim", "share"), [(1, 0.3227), (2, 0.1098), (4, 0.0122)])
def test_f_mem_of_the_population_itself_is_the_threshold_to_the_power_of_the_dimension(dim: int, share: float) -> None:
    """Points around a fresh draw are locally Poisson, of which a share k^d has d1/d2 < k; a Gaussian's edges move it a little."""
    found = measure_memorization(normal(20_000, dim, 1), normal(4000, dim, 2))
    assert found.f_mem == pytest.approx((1 / 3) ** dim, rel=0.12)
    assert found.f_mem == pytest.approx(share, abs=4 * (share / 20_000) ** 0.5 + 0.02 * share)
    low, high = found.interval()
    assert low <= found.f_mem <= high


def test_from_eight_dimensions_on_the_population_is_hardly_ever_taken_for_a_copy() -> None:
    assert measure_memorization(normal(20_000, 8, 1), normal(1000, 8, 2)).n_copies <= 12  # (1/3)^8 of 20,000 is 3
