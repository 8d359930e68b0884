"""Self-attention over the pixels of an image, by whichever formulation of it is fastest where it runs."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from tauscope.networks import native

GROUPS = 8

# Measured on the CPU (docs/decisions/0019): at wider heads or fewer pixels the fused kernel of PyTorch is as fast, or faster.
NARROW_HEAD, MANY_PIXELS = 8, 64
WIDE_HEAD = 32  # Up to here machine code, where there is any, is as fast as any other, or faster.
_BLOCK = 2**18  # Weights of attention at a time, 1 MB: they stay in the core's own cache from one operation to the next.

Features = Float[Tensor, "head feature pixel"]


class SelfAttention(nn.Module):
    """Multi-head self-attention over pixels, with a residual."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.GroupNorm(GROUPS, width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Float[Tensor, "batch width height breadth"]) -> Float[Tensor, "batch width height breadth"]:
        """x plus what its pixels gather from one another."""
        features, pixels = x.shape[1] // self.heads, x.shape[2] * x.shape[3]
        many = pixels >= MANY_PIXELS
        compiled = many and features <= WIDE_HEAD and native.attends(x, features)
        narrow = many and features <= NARROW_HEAD and x.device.type == "cpu"
        return x + (self._by_features(x) if narrow and not compiled else self._by_pixels(x, compiled=compiled))

    def _by_pixels(self, x: Tensor, *, compiled: bool = False) -> Float[Tensor, "batch width height breadth"]:
        qkv = _of_each_pixel(self.qkv, self.norm(x)).permute(0, 2, 3, 1).flatten(1, 2)  # [batch, pixel, q k v of each head]
        attended = native.attention(qkv, self.heads) if compiled else None
        if attended is None:
            q, k, v = qkv.unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)  # each [batch, head, pixel, feature]
            attended = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        return _of_each_pixel(self.out, attended.transpose(1, 2).unflatten(2, x.shape[2:]))

    def _by_features(self, x: Tensor) -> Float[Tensor, "batch width height breadth"]:
        """The same with pixels last, as the image has them: nothing is transposed on the way."""
        h = self.norm(x).flatten(2)
        qkv = _project(self.qkv, h).view(len(h), 3, self.heads, -1, h.shape[2])
        q, k, v = qkv.transpose(0, 1).flatten(1, 2)  # each [batch * head, feature, pixel]
        return _project(self.out, attend(q, k, v).reshape(h.shape)).reshape(x.shape)


def attend(q: Features, k: Features, v: Features) -> Features:
    """v softmax(k' q / sqrt(d)) of every head, the softmax over the pixels of k (Vaswani et al. 2017, arXiv:1706.03762, eq. 1)."""
    # No logit exceeds the product of the longest vectors. Where that is too much for an exponential, or no number, or in less
    # than float32, the maximum has to be taken off first, as PyTorch does.
    q_squared, k_squared = (part.detach().square().sum(1).amax() for part in (q, k))
    if q.dtype != torch.float32 or not bool((q_squared * k_squared / q.shape[1]).sqrt() < native.LARGEST_LOGIT):
        return F.scaled_dot_product_attention(q.mT, k.mT, v.mT).mT
    attended: Tensor = _NarrowAttention.apply(q, k, v)  # type: ignore[no-untyped-call]
    return attended


class _NarrowAttention(torch.autograd.Function):
    """Attention of heads so narrow that the exponentials cost more than the products.

    The weights exp(k' q) are made and used block by block, never kept. Their sums come out of the product with v, which has a
    row of ones below it. Backwards they are made again, already divided by their sums: the logarithm of a sum is one more
    feature of q, against ones in k. Likewise the row sums that the softmax subtracts (Dao et al. 2022, arXiv:2205.14135,
    appendix B.2) are one more feature of the gradient, against ones in v.
    """

    @staticmethod
    def forward(ctx: Any, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        heads, features, pixels = q.shape
        q = q * features**-0.5
        v = _with_row(v, 1.0)
        sums = torch.empty_like(v)
        block = _heads_a_block(pixels)
        weights = q.new_empty(min(block, heads), pixels, pixels)  # [head, pixel of k, pixel of q]
        for q_, k_, v_, out in zip(*(part.split(block) for part in (q, k.mT, v, sums)), strict=True):
            torch.bmm(v_, torch.bmm(k_, q_, out=weights[: len(q_)]).exp_(), out=out)
        total = sums[:, features:]
        attended = sums[:, :features] / total
        ctx.save_for_backward(q, k, v, attended, total)
        return attended

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        q, k, v, attended, total = ctx.saved_tensors
        heads, features, pixels = gradient.shape
        normed_q = torch.cat([q, -total.log()], dim=1)
        centred = torch.cat([gradient, -(gradient * attended).sum(1, keepdim=True)], dim=1)
        dq, dk, dv = gradient.new_empty(3, heads, features, pixels)
        block = _heads_a_block(pixels)
        scratch = gradient.new_empty(2, min(block, heads), pixels, pixels)
        parts = (q, k, _with_row(k, 1.0).mT, v.mT, normed_q, centred, centred[:, :features], dq, dk, dv)
        for q_, k_, ones_k, ones_v, normed, centred_, g, dq_, dk_, dv_ in zip(*(part.split(block) for part in parts), strict=True):
            weights, slopes = scratch[:, : len(q_)]
            torch.bmm(ones_k, normed, out=weights).exp_()
            torch.bmm(g, weights.mT, out=dv_)
            weights.mul_(torch.bmm(ones_v, centred_, out=slopes))
            torch.bmm(k_, weights, out=dq_)
            torch.bmm(q_, weights.mT, out=dk_)
        return dq.mul_(features**-0.5), dk, dv


def _of_each_pixel(layer: nn.Linear, h: Float[Tensor, "batch feature height breadth"]) -> Float[Tensor, "batch out height breadth"]:
    """A linear layer of the features of every pixel, in the layout that they have."""
    if native.channels_last(h):  # As a convolution, which PyTorch leaves to oneDNN: on an AMD processor twice as fast as its products.
        return F.conv2d(h, layer.weight[:, :, None, None], layer.bias)
    out: Tensor = layer(h.flatten(2).transpose(1, 2))
    return out.transpose(1, 2).unflatten(2, h.shape[2:])


def _project(layer: nn.Linear, h: Float[Tensor, "batch feature pixel"]) -> Float[Tensor, "batch out pixel"]:
    """A linear layer over features that stand before the pixels."""
    return torch.baddbmm(layer.bias[:, None], layer.weight.expand(len(h), -1, -1), h)


def _with_row(features: Features, value: float) -> Float[Tensor, "head feature_and_one pixel"]:
    return F.pad(features, (0, 0, 0, 1), value=value)


def _heads_a_block(pixels: int) -> int:
    return max(1, _BLOCK // pixels**2)
