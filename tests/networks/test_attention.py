"""Whatever way attention is computed, it is the same attention: values and gradients of PyTorch's own."""

import pytest
import torch
from torch.nn import functional as F

from tauscope.networks import UNet
from tauscope.networks import attention as module
from tauscope.networks.attention import SelfAttention, attend
from tauscope.networks.unet import memory_format

CPU = torch.device("cpu")


def drawn(heads: int, features: int, pixels: int, scale: float = 1.0) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [scale * torch.randn(heads, features, pixels, generator=generator) for _ in range(4)]


def with_gradients(function: object, *parts: torch.Tensor) -> list[torch.Tensor]:
    *inputs, slope = parts
    inputs = [part.clone().requires_grad_() for part in inputs]
    out = function(*inputs)  # type: ignore[operator]
    return [out, *torch.autograd.grad(out, inputs, slope)]


def exact(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    return v @ torch.softmax(k.mT @ q / q.shape[1] ** 0.5, dim=1)


@pytest.mark.parametrize("features", [1, 4, 8])
@pytest.mark.parametrize(("heads", "pixels"), [(6, 256), (3, 64), (70, 64)], ids=["part of a block", "one block", "blocks and a part"])
@pytest.mark.parametrize("scale", [0.1, 1.0, 3.0])
def test_narrow_attention_has_the_values_and_gradients_of_the_formula(heads: int, features: int, pixels: int, scale: float) -> None:
    parts = drawn(heads, features, pixels, scale)
    computed = with_gradients(attend, *parts)
    expected = with_gradients(exact, *(part.double() for part in parts))
    for mine, true in zip(computed, expected, strict=True):
        # 1e-5 of the largest entry: a logit of 60 has a rounding error of 4e-6 in float32, and its exponential the same relative one.
        assert float((mine.double() - true).detach().abs().max()) <= 1e-5 * float(true.detach().abs().max())


def test_logits_beyond_the_range_of_exponentials_are_left_to_pytorch() -> None:
    q, k, v, slope = drawn(2, 4, 64, scale=30.0)
    ours = with_gradients(attend, q, k, v, slope)
    theirs = with_gradients(lambda *parts: F.scaled_dot_product_attention(*(part.mT for part in parts)).mT, q, k, v, slope)
    for mine, true in zip(ours, theirs, strict=True):
        assert torch.isfinite(mine).all()
        torch.testing.assert_close(mine, true, rtol=0, atol=0)


def test_a_number_that_is_none_stays_visible() -> None:
    q, k, v, _ = drawn(2, 4, 64)
    q[0, 0, 0] = torch.nan
    assert attend(q, k, v).isnan().any()


@pytest.mark.parametrize("gain", [1.0, 12.0])  # At the second the layer's logits are left to PyTorch, as late in training.
def test_both_layouts_of_the_layer_agree(gain: float) -> None:
    torch.manual_seed(0)
    layer, x, slope = SelfAttention(16, 4), torch.randn(3, 16, 16, 16), torch.randn(3, 16, 16, 16)
    with torch.no_grad():
        layer.qkv.weight[:32] *= gain
    for mine, true in zip(with_gradients(layer._by_features, x, slope), with_gradients(layer._by_pixels, x, slope), strict=True):
        torch.testing.assert_close(mine, true, rtol=0, atol=1e-5 * gain**2)  # Of order 1 to 10; rounding grows with the logits.


@pytest.mark.parametrize(("width", "size", "narrow"), [(16, 16, True), (32, 8, True), (32, 4, False), (64, 16, False)])
def test_only_narrow_heads_over_many_pixels_leave_pytorchs_own(
    monkeypatch: pytest.MonkeyPatch, width: int, size: int, narrow: bool
) -> None:
    """So the digits network, 8 features at 4x4 pixels, has the numbers it always had."""
    asked = []
    monkeypatch.setattr(module, "attend", lambda q, k, v: asked.append(q.shape) or v)
    SelfAttention(width, 4)(torch.randn(2, width, size, size))
    assert bool(asked) == narrow


@pytest.mark.parametrize("gain", [1.0, 12.0])
def test_a_layer_of_images_with_channels_last_is_the_same_layer(gain: float) -> None:
    torch.manual_seed(0)
    layer, x, slope = SelfAttention(64, 4), torch.randn(2, 64, 8, 8), torch.randn(2, 64, 8, 8)
    with torch.no_grad():
        layer.qkv.weight[:64] *= gain
    usual = with_gradients(layer._by_pixels, x, slope)
    last = with_gradients(layer._by_pixels, x.to(memory_format=torch.channels_last), slope)
    assert last[0].is_contiguous(memory_format=torch.channels_last)
    for mine, true in zip(last, usual, strict=True):
        torch.testing.assert_close(mine, true, rtol=0, atol=1e-5 * gain**2)


def test_the_layout_of_kernels_changes_nothing_but_speed() -> None:
    torch.manual_seed(0)
    network = UNet(1, 8, (1, 2), (False, True), blocks=1)
    x_t, t = torch.randn(2, 1, 16, 16), torch.tensor([3, 700])
    before = with_gradients(lambda x: network(x, t), x_t, torch.ones_like(x_t))
    network.to(memory_format=memory_format(CPU, 16))  # type: ignore[call-overload]
    assert network.init.weight.is_contiguous(memory_format=torch.channels_last)
    after = with_gradients(lambda x: network(x, t), x_t, torch.ones_like(x_t))
    for mine, true in zip(after, before, strict=True):
        torch.testing.assert_close(mine, true, rtol=1e-4, atol=1e-5)  # Sums of up to 432 float32 products, in another order.


def test_small_images_and_accelerators_keep_the_usual_layout() -> None:
    assert memory_format(CPU, 8) is torch.contiguous_format
    assert memory_format(torch.device("cuda"), 32) is torch.contiguous_format
