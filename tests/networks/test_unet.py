"""The network is the paper's: its published sizes, and a preconditioning that is exact for Gaussian data."""

import pytest
import torch

from tauscope.networks import Preconditioned, UNet
from tauscope.networks.unet import Upsample
from tauscope.process import linear_schedule
from tauscope.specs.network import UNetSpec
from tauscope.specs.parameters import trained_parameters

PUBLISHED = {8: 255_089, 32: 4_023_233}


def papers_count(width: int) -> int:
    """Every layer has as many numbers as a product of two widths, or as one; only the bias of the last convolution does not grow.

    So p = a W^2 + b W + 1, and the two published counts give a = 3910 and b = 606.
    """
    return 3910 * width**2 + 606 * width + 1


def test_the_published_numbers_of_parameters_are_on_one_parabola() -> None:
    assert {width: papers_count(width) for width in PUBLISHED} == PUBLISHED


@pytest.mark.parametrize("preconditioned", [False, True])
@pytest.mark.parametrize("width", [8, 16, 32, 48, 64])
def test_the_papers_network_has_the_papers_number_of_parameters_at_every_width(width: int, preconditioned: bool) -> None:
    with torch.device("meta"):  # Counted, not computed with.
        network: torch.nn.Module = UNet(1, width, (1, 2, 4), (False, True, True))
    if preconditioned:
        network = Preconditioned(network, linear_schedule(1000, beta_min=1e-4, beta_max=2e-2), 0.5)
    count = sum(p.numel() for p in network.parameters())
    assert count == papers_count(width) == trained_parameters(UNetSpec(base_width=width))
    millions = {8: 0.26, 16: 1, 32: 4, 48: 9, 64: 16}[width]  # As the paper rounds them.
    assert count / 1e6 == pytest.approx(millions, rel=0.03)


def test_labels_add_a_vector_each_and_one_for_none() -> None:
    without, told = UNet(1, 8, (1, 2), (False, True)), UNet(1, 8, (1, 2), (False, True), labels=10)
    added = sum(p.numel() for p in told.parameters()) - sum(p.numel() for p in without.parameters())
    assert added == 11 * 32
    spec = UNetSpec(base_width=8, multipliers=(1, 2), attention=(False, True), classes="labels")
    assert trained_parameters(spec, labels=10) == sum(p.numel() for p in told.parameters())


def test_a_label_changes_the_prediction_and_a_label_withheld_is_no_label() -> None:
    torch.manual_seed(0)
    network = UNet(1, 8, (1, 2), (False, True), blocks=1, labels=3)
    x_t, t = torch.randn(2, 1, 8, 8), torch.tensor([5, 5])
    assert not torch.allclose(network(x_t, t, torch.tensor([0, 1])), network(x_t, t, torch.tensor([1, 0])))
    assert torch.equal(network(x_t, t, torch.tensor([-1, -1])), network(x_t, t))


def test_the_digits_network_has_the_documented_number_of_parameters() -> None:
    network = UNet(1, 16, (1, 2), (False, True), blocks=1)
    assert sum(p.numel() for p in network.parameters()) == 176_849


def test_the_output_has_the_shape_of_the_input_and_depends_on_t() -> None:
    torch.manual_seed(0)
    network = UNet(3, 8, (1, 2), (False, True), blocks=1)
    x_t = torch.randn(2, 3, 8, 8)
    early, late = network(x_t, torch.tensor([1, 1])), network(x_t, torch.tensor([900, 900]))
    assert early.shape == x_t.shape
    assert not torch.allclose(early, late)


def test_a_preconditioned_network_of_zero_is_the_posterior_mean_of_a_gaussian() -> None:
    """For x_0 ~ N(0, s^2 I), E[eps | x_t] = sqrt(1 - alpha_bar) x_t / (alpha_bar s^2 + 1 - alpha_bar)."""
    diffusion, s = linear_schedule(1000, beta_min=1e-4, beta_max=2e-2), 0.7
    network = Preconditioned(_Zero(), diffusion, s)
    x_t, t = torch.randn(3, 1, 4, 4), torch.tensor([1, 100, 999])
    alpha_bar = diffusion.alpha_bar[t].view(-1, 1, 1, 1)
    expected = (1 - alpha_bar).sqrt() * x_t / (alpha_bar * s**2 + 1 - alpha_bar)
    torch.testing.assert_close(network(x_t, t), expected.float(), rtol=1e-6, atol=1e-6)  # float32 scales


def test_preconditioning_hands_the_network_inputs_and_targets_of_unit_variance() -> None:
    diffusion, s = linear_schedule(1000, beta_min=1e-4, beta_max=2e-2), 0.3
    a, b, c = Preconditioned(_Zero(), diffusion, s).scales.double()
    alpha_bar = diffusion.alpha_bar
    input_variance = c**2 * (alpha_bar * s**2 + 1 - alpha_bar)
    # The target is (eps - a x_t) / b; its variance follows from the independence of x_0 and eps.
    target_variance = ((1 - a * (1 - alpha_bar).sqrt()) ** 2 + a**2 * alpha_bar * s**2) / b**2
    torch.testing.assert_close(input_variance, torch.ones_like(input_variance), rtol=1e-5, atol=0)
    # At the least noise 1 - a sqrt(1 - alpha_bar) is computed from float32 scales near 1: three digits are left.
    torch.testing.assert_close(target_variance, torch.ones_like(target_variance), rtol=2e-3, atol=0)


def test_dropout_draws_from_its_own_generator() -> None:
    network = UNet(1, 8, (1,), (False,), blocks=1, dropout=0.5)
    generator = torch.Generator()
    for module in network.modules():
        if hasattr(module, "generator"):
            module.generator = generator
    x_t, t = torch.randn(1, 1, 4, 4), torch.tensor([5])
    outputs = []
    for global_seed in (1, 2):
        torch.manual_seed(global_seed)
        generator.manual_seed(7)
        outputs.append(network(x_t, t))
    torch.testing.assert_close(*outputs, rtol=0, atol=0)


class _Zero(torch.nn.Module):
    def forward(self, x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return torch.zeros_like(x)


def test_doubling_and_convolving_at_once_is_doubling_then_convolving() -> None:
    torch.manual_seed(0)
    layer, x, time = Upsample(16), torch.randn(2, 16, 6, 10), torch.empty(0)
    usual = layer(x, time)
    at_once = layer(x.to(memory_format=torch.channels_last), time)
    assert not torch.equal(at_once, usual)  # It was another computation,
    torch.testing.assert_close(at_once, usual, rtol=0, atol=3e-6)  # of sums of 144 products of order 0.3 in another order.
