"""Machine code of ours gives what PyTorch's layers give; where it may not be asked, PyTorch is."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tauscope.networks import native
from tauscope.networks.attention import attend
from tests.networks.test_attention import drawn, exact, with_gradients

pytestmark = pytest.mark.skipif(not native.INSTALLED, reason="Numba is an optional extra: pip install 'tauscope[native]'")


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("scale", [0.1, 1.0, 2.0])
def test_attention_in_registers_has_the_values_and_gradients_of_the_formula(scale: float, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    compiled = native.attention
    monkeypatch.setattr(native, "attention", lambda *parts: asked.append(1) or compiled(*parts))
    parts = drawn(5, 4, 64, scale)
    computed = with_gradients(attend, *parts)
    assert asked
    for mine, true in zip(computed, with_gradients(exact, *(part.double() for part in parts)), strict=True):
        assert float((mine.double() - true).detach().abs().max()) <= 1e-5 * float(true.detach().abs().max())  # As of the other one.


@pytest.mark.parametrize(("channels", "size"), [(8, 16), (24, 8), (96, 4), (8, 5)])
@pytest.mark.parametrize(("offset", "scale"), [(0.0, 1.0), (30.0, 1.0), (0.0, 1e-3)])
def test_normalization_with_silu_has_the_values_and_gradients_of_both_layers(channels: int, size: int, offset: float, scale: float) -> None:
    torch.manual_seed(0)
    norm, x = nn.GroupNorm(8, channels), scale * torch.randn(3, channels, size, size) + offset
    with torch.no_grad():
        norm.weight.normal_(std=20)  # So that SiLU is met from -80 to 80.
        norm.bias.normal_()
    x = x.to(memory_format=torch.channels_last)
    slope = torch.randn_like(x)
    inputs = [x.requires_grad_(), norm.weight, norm.bias]
    out = native.normed_silu(norm, x)
    assert "NormedSilu" in type(out.grad_fn).__name__
    mine = [out, *torch.autograd.grad(out, inputs, slope)]
    exactly = [part.detach().double().requires_grad_() for part in inputs]
    true_out = F.silu(F.group_norm(exactly[0], 8, *exactly[1:], norm.eps))
    true = [true_out, *torch.autograd.grad(true_out, exactly, slope.double())]
    # Float32 leaves 30 +- 1 no more than 2e-6 of its deviation, which the weights of 20 and the sums enlarge.
    tolerance = 2e-4 if offset else 1e-5
    for ours, other in zip(mine, true, strict=True):
        assert float((ours - other).detach().abs().max()) <= tolerance * float(other.detach().abs().max())


def test_several_threads_and_the_usual_layout_are_left_to_pytorch() -> None:
    """So a digits run has the numbers it always had."""
    norm, x = nn.GroupNorm(8, 16), torch.randn(2, 16, 8, 8)
    assert torch.equal(native.normed_silu(norm, x), F.silu(norm(x)))
    torch.set_num_threads(2)
    assert not native.where(x)
