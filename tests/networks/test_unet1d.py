"""The network for windows: shapes, its count of parameters, and what it must depend on."""

import pytest
import torch

from tauscope.networks.unet1d import UNet1d


@pytest.mark.parametrize(("channels", "length", "multipliers"), [(1, 8, (1, 2)), (4, 24, (1, 2)), (3, 24, (1, 2, 4)), (2, 7, (1,))])
def test_the_output_has_the_shape_of_the_input(channels: int, length: int, multipliers: tuple[int, ...]) -> None:
    network = UNet1d(channels, 8, multipliers, blocks=1)
    assert network(torch.zeros(2, channels, length), torch.tensor([0, 999])).shape == (2, channels, length)


def test_it_depends_on_the_time_and_on_every_step_of_the_window() -> None:
    torch.manual_seed(0)
    network = UNet1d(2, 8, (1, 2), blocks=1)
    x = torch.randn(1, 2, 16, requires_grad=True)
    network(x, torch.tensor([3]))[0, 0, 8].backward()
    assert x.grad is not None and bool((x.grad[0] != 0).any(0).all())
    with torch.no_grad():
        assert not torch.allclose(network(x, torch.tensor([3])), network(x, torch.tensor([500])))


def test_both_ends_of_a_level_window_are_predicted_like_its_middle() -> None:
    """Zero padding would let the network tell the ends of a constant window apart; a series has no ends there."""
    torch.manual_seed(0)
    network = UNet1d(1, 8, (1, 2), blocks=1)
    with torch.no_grad():
        found = network(torch.full((1, 1, 16), 0.7), torch.tensor([10]))
    torch.testing.assert_close(found, found[..., 8:9].expand_as(found), rtol=1e-4, atol=1e-5)


def test_dropout_draws_from_the_given_generator() -> None:
    network = UNet1d(1, 8, (1,), dropout=0.5).train()

    def drawn(seed: int) -> torch.Tensor:
        for module in network.modules():
            if hasattr(module, "generator"):
                module.generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            return network(torch.ones(1, 1, 8), torch.tensor([1]))

    assert torch.equal(drawn(1), drawn(1))
    assert not torch.equal(drawn(1), drawn(2))
