"""Banded dynamic time warping is what its recursion says, and its lower bound is one."""

import numpy as np
import pytest
import torch

from tauscope.metrics.dtw import banded_dtw, lower_bound


def plain_dtw(x: np.ndarray, y: np.ndarray, radius: int) -> float:
    """The textbook table, cell by cell: rows are steps of x, columns of y."""
    length = x.shape[1]
    table = np.full((length + 1, length + 1), np.inf)
    table[0, 0] = 0.0
    for i in range(1, length + 1):
        for j in range(max(1, i - radius), min(length, i + radius) + 1):
            cost = ((x[:, i - 1] - y[:, j - 1]) ** 2).sum()
            table[i, j] = cost + min(table[i - 1, j - 1], table[i - 1, j], table[i, j - 1])
    return float(table[length, length] ** 0.5)


def walks(count: int, channels: int, length: int, seed: int) -> torch.Tensor:
    return torch.randn(count, channels, length, generator=torch.Generator().manual_seed(seed)).cumsum(2)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("radius", [0, 1, 3, 11, 30])
def test_every_distance_is_that_of_the_plain_table(channels: int, radius: int) -> None:
    x, y = walks(6, channels, 12, seed=1), walks(6, channels, 12, seed=2)
    expected = [plain_dtw(a, b, radius) for a, b in zip(x.double().numpy(), y.double().numpy(), strict=True)]
    # The same sums of 12 to 23 squares in another order.
    np.testing.assert_allclose(banded_dtw(x, y, radius=radius).numpy(), expected, rtol=1e-13)


def test_without_a_band_it_is_euclidean() -> None:
    x, y = walks(20, 2, 16, seed=3), walks(20, 2, 16, seed=4)
    expected = (x.double() - y.double()).flatten(1).norm(dim=1)
    torch.testing.assert_close(banded_dtw(x, y, radius=0), expected, rtol=1e-14, atol=0)


def test_it_never_grows_with_the_band_and_is_symmetric() -> None:
    x, y = walks(50, 2, 16, seed=5), walks(50, 2, 16, seed=6)
    found = torch.stack([banded_dtw(x, y, radius=radius) for radius in range(6)])
    assert bool((found.diff(dim=0) <= 0).all())
    torch.testing.assert_close(banded_dtw(y, x, radius=3), found[3], rtol=1e-13, atol=0)


def test_a_step_late_costs_nothing_but_the_ends() -> None:
    """A bump two steps later is the same under a band of two, where both ends are level."""
    early, late = torch.zeros(2, 1, 1, 20)
    early[..., 6:10] = torch.tensor([1.0, 2.0, 2.0, 1.0])
    late[..., 8:12] = torch.tensor([1.0, 2.0, 2.0, 1.0])
    assert float(banded_dtw(early, late, radius=2)) == 0.0
    assert float(banded_dtw(early, late, radius=1)) > 0.5


@pytest.mark.parametrize("radius", [0, 2, 5])
def test_the_lower_bound_is_below_every_distance_and_equal_without_a_band(radius: int) -> None:
    x, y = walks(30, 3, 16, seed=7), walks(25, 3, 16, seed=8)
    pairs = x.repeat_interleave(25, 0), y.repeat(30, 1, 1)
    distance = banded_dtw(*pairs, radius=radius).view(30, 25)
    bound = lower_bound(x, y, radius=radius)
    assert bool((bound <= distance * (1 + 1e-12)).all())
    assert bool((bound > 0).any())
    if radius == 0:
        torch.testing.assert_close(bound, distance, rtol=1e-13, atol=0)


def test_more_pairs_than_a_block_are_all_measured() -> None:
    x = walks(20_000, 1, 4, seed=9)
    found = banded_dtw(x, x.roll(1, 0), radius=1)
    assert found.shape == (20_000,)
    assert float(found[-1]) == pytest.approx(plain_dtw(x[-1].double().numpy(), x[-2].double().numpy(), 1), rel=1e-13)


def test_a_negative_radius_is_refused() -> None:
    with pytest.raises(ValueError, match="radius = -1"):
        banded_dtw(torch.zeros(1, 1, 4), torch.zeros(1, 1, 4), radius=-1)
