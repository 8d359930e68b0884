"""The layers of ``networks.jit`` for PyTorch, where Numba is installed (``pip install 'tauscope[native]'``) and one thread computes.

Everywhere else, and whenever PyTorch compiles the network itself, PyTorch's own layers are asked.
"""

import importlib.util
import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

INSTALLED = importlib.util.find_spec("numba") is not None
_ROW = 128  # Numbers of a row that the normalization goes through at once: pixels of few channels are taken together.


def where(x: Tensor) -> bool:
    """Whether machine code of ours may stand in for PyTorch's."""
    here = INSTALLED and x.device.type == "cpu" and x.dtype == torch.float32
    return here and torch.get_num_threads() == 1 and not torch.compiler.is_compiling()


def normed_silu(norm: nn.Module, x: Tensor) -> Tensor:
    """SiLU of a group normalization. Only images with their channels last are given to machine code."""
    assert isinstance(norm, nn.GroupNorm)
    if not (where(x) and x.is_contiguous(memory_format=torch.channels_last) and not x.is_contiguous()):
        return F.silu(norm(x))
    out: Tensor = _NormedSilu.apply(x, norm.weight, norm.bias, norm.num_groups, norm.eps)  # type: ignore[no-untyped-call]
    return out


def attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """v softmax(k' q / sqrt(d)), each [head, feature, pixel], of logits that leave exponentials finite."""
    out: Tensor = _Attention.apply(q, k, v)  # type: ignore[no-untyped-call]
    return out


class _NormedSilu(torch.autograd.Function):
    """Keeps x, the means and the deviations; the logistic function is computed again on the way back."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, groups: int, eps: float) -> Tensor:
        from tauscope.networks import jit

        y, (mean, rstd) = torch.empty_like(x), x.new_empty(2, len(x), groups)
        jit.normed_silu(_rows(x), weight.numpy(), bias.numpy(), groups, jit.f32(eps), _rows(y), mean.numpy(), rstd.numpy())
        ctx.save_for_backward(x, weight, bias, mean, rstd)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:
        from tauscope.networks import jit

        x, weight, bias, mean, rstd = ctx.saved_tensors
        slope = slope.contiguous(memory_format=torch.channels_last)
        dx, dweight, dbias = torch.empty_like(x), torch.empty_like(weight), torch.empty_like(bias)
        known = (_rows(x), weight.numpy(), bias.numpy(), mean.shape[1], mean.numpy(), rstd.numpy(), _rows(slope))
        jit.normed_silu_backward(*known, _rows(dx), dweight.numpy(), dbias.numpy())
        return dx, dweight, dbias, None, None


def _rows(x: Tensor) -> Any:
    """[sample, row, number] of an image with its channels last, as NumPy sees it."""
    samples, channels, height, width = x.shape
    together = math.gcd(height * width, max(1, _ROW // channels))
    return x.detach().permute(0, 2, 3, 1).view(samples, height * width // together, channels * together).numpy()


class _Attention(torch.autograd.Function):
    """As ``attention._NarrowAttention``, each weight being made in a register and used at once."""

    @staticmethod
    def forward(ctx: Any, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        from tauscope.networks import jit

        q, k, v = q * (q.shape[1] ** -0.5 / math.log(2)), k.mT.contiguous(), v.mT.contiguous()
        attended, less = torch.empty_like(q), q.new_empty(len(q), q.shape[2])
        jit.attention(q.shape[1])[0](*(part.numpy() for part in (q, k, v, attended, less)))
        ctx.save_for_backward(q, k, v, attended, less)
        return attended

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        from tauscope.networks import jit

        q, k, v, attended, less = ctx.saved_tensors
        slope = slope.contiguous()
        centre = -(slope * attended).sum(1)
        dq, dk, dv = torch.empty_like(q), torch.empty_like(k), torch.empty_like(v)
        jit.attention(q.shape[1])[1](*(part.numpy() for part in (q, k, v, slope, centre, less, dq, dk, dv)))
        return dq.mul_(q.shape[1] ** -0.5), dk.mT * math.log(2), dv.mT
