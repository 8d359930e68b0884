"""The forward process keeps variance and ends in noise."""

import pytest
import torch

from tauscope.analysis.metrics_info import alpha_bar
from tauscope.process import Diffusion, linear_schedule
from tauscope.process.diffusion import predict_x0
from tauscope.specs.process import LinearSpec


def test_alpha_bar_falls_from_near_one_to_near_zero() -> None:
    diffusion = linear_schedule(1000, beta_min=1e-4, beta_max=2e-2)
    assert bool((diffusion.alpha_bar.diff() < 0).all())
    assert float(diffusion.alpha_bar[0]) == pytest.approx(1 - 1e-4)
    assert float(diffusion.alpha_bar[-1]) < 5e-5


def test_noising_and_predicting_x0_are_inverse() -> None:
    diffusion = linear_schedule(1000, beta_min=1e-4, beta_max=2e-2)
    x_0, eps = torch.randn(2, 1, 2, 2), torch.randn(2, 1, 2, 2)
    x_t = diffusion.noised(x_0, torch.tensor([300, 300]), eps)
    torch.testing.assert_close(predict_x0(x_t, eps, float(diffusion.alpha_bar[300])), x_0, rtol=1e-4, atol=1e-5)  # float32


def test_pages_and_training_read_the_product_of_one_minus_beta() -> None:
    """As PyTorch computes it; its linspace fuses multiplication and addition where the machine can."""
    diffusion = Diffusion.of(LinearSpec())
    reference = (1 - torch.linspace(1e-4, 2e-2, 1000, dtype=torch.float64)).cumprod(0)
    torch.testing.assert_close(diffusion.alpha_bar, reference, rtol=1e-13, atol=0)
    for index in (0, 10, 100, 999):
        assert alpha_bar(LinearSpec(), index) == float(diffusion.alpha_bar[index])


def test_index_100_of_the_linear_schedule_keeps_nine_tenths_of_the_signal() -> None:
    assert alpha_bar(LinearSpec(), 100) == pytest.approx(0.895, abs=5e-4)
