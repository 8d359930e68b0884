"""The layers of ``networks.jit`` for PyTorch, where Numba is installed (``pip install 'tauscope[native]'``) and one thread computes.

Everywhere else, and whenever PyTorch compiles the network itself, PyTorch's own layers are asked.
"""

import importlib.util
import math
from importlib.metadata import version
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

INSTALLED = importlib.util.find_spec("numba") is not None
# exp(60) and exp(-60), summed over any number of pixels and times any value, are far from the ends of float32.
LARGEST_LOGIT = 60.0
_ROW = 128  # Numbers of a row that the normalization goes through at once: pixels of few channels are taken together.


def where(x: Tensor) -> bool:
    """Whether machine code of ours may stand in for PyTorch's."""
    here = INSTALLED and x.device.type == "cpu" and x.dtype == torch.float32
    return here and torch.get_num_threads() == 1 and not torch.compiler.is_compiling()


def machine_code(device: torch.device) -> str:
    """What compiles machine code of ours that ``where`` lets a run on a device use, e.g. "Numba 0.68.0"; "none" if nothing does.

    A network without such layers uses none of it all the same.
    """
    return f"Numba {version('numba')}" if where(torch.empty(0, device=device)) else "none"


def channels_last(x: Tensor) -> bool:
    """Whether an image has its channels last, on a CPU."""
    return x.device.type == "cpu" and x.is_contiguous(memory_format=torch.channels_last) and not x.is_contiguous()


def attends(x: Tensor, features: int) -> bool:
    """Whether machine code attends to heads of so many features on images like these."""
    return where(x) and channels_last(x) and features % 4 == 0 and x.shape[2] * x.shape[3] % 4 == 0


def normed_silu(norm: nn.Module, x: Tensor) -> Tensor:
    """SiLU of a group normalization. Only images with their channels last are given to machine code."""
    assert isinstance(norm, nn.GroupNorm)
    if not (where(x) and channels_last(x)):
        return F.silu(norm(x))
    out: Tensor = _NormedSilu.apply(x, norm.weight, norm.bias, norm.num_groups, norm.eps)  # type: ignore[no-untyped-call]
    return out


def attention(qkv: Float[Tensor, "batch pixel three_heads_feature"], heads: int) -> Float[Tensor, "batch pixel heads_feature"] | None:
    """softmax(q k' / sqrt(d)) v of every head; ``None`` where logits may be too large for an exponential, or are no numbers."""
    from tauscope.networks import jit

    if not jit.largest_logit(qkv.detach().numpy(), heads) < LARGEST_LOGIT:
        return None
    out: Tensor = _Attention.apply(qkv, heads)  # type: ignore[no-untyped-call]
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
    """Keeps what was asked and answered, and by how much each pixel's logits exceed those of weights that sum to one."""

    @staticmethod
    def forward(ctx: Any, qkv: Tensor, heads: int) -> Tensor:
        from tauscope.networks import jit

        samples, pixels, wide = qkv.shape
        out, less = qkv.new_empty(samples, pixels, wide // 3), qkv.new_empty(samples, heads, pixels)
        jit.attention(qkv.detach().numpy(), heads, out.numpy(), less.numpy())
        ctx.save_for_backward(qkv, out, less)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:
        from tauscope.networks import jit

        qkv, out, less = ctx.saved_tensors
        d_qkv = torch.empty_like(qkv)
        jit.attention_backward(qkv.numpy(), less.shape[1], out.numpy(), less.numpy(), slope.contiguous().numpy(), d_qkv.numpy())
        return d_qkv, None
