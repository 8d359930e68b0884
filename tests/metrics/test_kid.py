"""The kernel distance equals torchmetrics' on the same features, is unbiased, and its interval holds the truth."""

import numpy as np
import pytest
import torch
from torch import nn

from tauscope.metrics.intervals import jackknife_half_width
from tauscope.metrics.kid import kernel_distance


@pytest.mark.filterwarnings("ignore:Metric `Kernel Inception Distance` will save")
def test_it_agrees_with_torchmetrics_on_one_subset_of_everything() -> None:
    """Both are sums of the same float64 kernel values."""
    from torchmetrics.image.kid import KernelInceptionDistance

    class Flat(nn.Module):
        num_features = 48

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return images.double().flatten(1)

    rng = np.random.default_rng(0)
    real, generated = (torch.from_numpy(rng.random((120, 3, 4, 4)) ** power) for power in (1, 2))
    theirs = KernelInceptionDistance(feature=Flat(), subsets=1, subset_size=120, normalize=True)
    theirs.update(real, real=True)
    theirs.update(generated, real=False)
    seen = [images.flatten(1).numpy() for images in (generated, real)]
    assert kernel_distance(*seen)[0] == pytest.approx(float(theirs.compute()[0]), rel=1e-9)


def test_left_out_groups_are_the_distances_of_what_is_left() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(30, 4)), rng.normal(0.3, 1, size=(25, 4))
    value, low, high = kernel_distance(x, y, groups=5)
    by_x = np.array([kernel_distance(x[np.arange(30) % 5 != g], y)[0] for g in range(5)])
    by_y = np.array([kernel_distance(x, y[np.arange(25) % 5 != g])[0] for g in range(5)])
    half = np.hypot(jackknife_half_width(by_x), jackknife_half_width(by_y))
    assert (low, high) == pytest.approx((value - half, value + half))


def test_it_is_unbiased_and_its_interval_covers_zero_for_equal_distributions() -> None:
    rng = np.random.default_rng(2)
    found = [kernel_distance(rng.normal(size=(100, 8)), rng.normal(size=(100, 8))) for _ in range(100)]
    values = np.array([value for value, _, _ in found])
    assert abs(values.mean()) < 3 * values.std() / 10
    assert sum(low <= 0 <= high for _, low, high in found) >= 88  # 95 % expected; below 88 has a chance of 0.1 %


def test_it_refuses_too_few_rows() -> None:
    with pytest.raises(ValueError, match="at least four"):
        kernel_distance(np.ones((3, 2)), np.ones((9, 2)))
