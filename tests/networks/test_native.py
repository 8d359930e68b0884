"""Machine code of ours gives what PyTorch's layers give; where it may not be asked, PyTorch is."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tauscope.networks import native
from tauscope.networks.attention import SelfAttention
from tests.networks.test_attention import with_gradients

pytestmark = pytest.mark.skipif(not native.INSTALLED, reason="Numba is an optional extra: pip install 'tauscope[native]'")


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def exact(qkv: torch.Tensor) -> torch.Tensor:
    q, k, v = qkv.unflatten(2, (3, 4, -1)).permute(2, 0, 3, 1, 4)
    return (torch.softmax(q @ k.mT / q.shape[-1] ** 0.5, dim=-1) @ v).transpose(1, 2).flatten(2)


@pytest.mark.parametrize(("features", "pixels"), [(4, 256), (8, 64), (12, 100), (32, 64)])
@pytest.mark.parametrize("scale", [0.1, 1.0, 2.0])
def test_attention_in_registers_has_the_values_and_gradients_of_the_formula(features: int, pixels: int, scale: float) -> None:
    generator = torch.Generator().manual_seed(0)
    qkv = scale * torch.randn(3, pixels, 3 * 4 * features, generator=generator)
    slope = torch.randn(3, pixels, 4 * features, generator=generator)
    mine = with_gradients(lambda asked: native.attention(asked, 4), qkv, slope)
    for ours, true in zip(mine, with_gradients(exact, qkv.double(), slope.double()), strict=True):
        assert float((ours.double() - true).detach().abs().max()) <= 1e-5 * float(true.detach().abs().max())  # As of the other one.


@pytest.mark.parametrize("features", [4, 16])
@pytest.mark.parametrize("gain", [1.0, 12.0])  # At the second some logits are too large for an exponential, as late in training.
def test_a_layer_in_machine_code_is_that_of_pytorch(features: int, gain: float, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    width = 4 * features
    layer, x = SelfAttention(width, 4), torch.randn(3, width, 16, 16).to(memory_format=torch.channels_last)
    with torch.no_grad():
        layer.qkv.weight[: 2 * width] *= gain
    asked = []
    compiled = native.attention
    monkeypatch.setattr(native, "attention", lambda *parts: asked.append(compiled(*parts)) or asked[-1])
    slope = torch.randn_like(x)
    mine = with_gradients(layer, x, slope)
    assert [answer is None for answer in asked] == [gain > 1]
    monkeypatch.setattr(native, "INSTALLED", False)
    for ours, true in zip(mine, with_gradients(layer, x, slope), strict=True):
        torch.testing.assert_close(ours, true, rtol=0, atol=1e-5 * gain**2)  # Of order 1 to 10; rounding grows with the logits.


def test_a_question_that_is_no_number_stays_visible() -> None:
    qkv = torch.zeros(1, 64, 48)
    qkv[0, 7, 3] = torch.nan
    assert native.attention(qkv, 4) is None
    qkv[0, 7, 3] = torch.inf
    assert native.attention(qkv, 4) is None


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
