"""The U-Net of the images with convolutions along time: for windows of a series."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from tauscope.networks.attention import GROUPS
from tauscope.networks.unet import SeededDropout, TimeEmbedding


class UNet1d(nn.Module):
    """Predicts eps from windows x_t and the diffusion index t.

    Residual blocks, their skips and the embedding of t are those of the paper's network (arXiv:2505.17638); it has no attention.
    Both ends are padded with the end value: a series goes on beyond its window.

    Args:
        in_channels: channels of the series.
        base_width: channels W of the first level, a multiple of 8.
        multipliers: width of each level over W; the number of steps halves from one level to the next.
        blocks: residual blocks per encoder level; the decoder has one more.
        dropout: before the second convolution of each residual block.
        diffusion_steps: size of the fixed sinusoidal table of t.
    """

    def __init__(
        self,
        in_channels: int,
        base_width: int,
        multipliers: Sequence[int],
        *,
        blocks: int = 1,
        dropout: float = 0.0,
        diffusion_steps: int = 1000,
    ) -> None:
        super().__init__()
        time_width = 4 * base_width
        widths = [base_width * multiplier for multiplier in multipliers]
        self.time = TimeEmbedding(base_width, time_width, diffusion_steps)
        self.init = _conv(in_channels, base_width)
        self.encoder, skips, width = nn.ModuleList(), [base_width], base_width
        for level, level_width in enumerate(widths):
            for _ in range(blocks):
                self.encoder.append(ResidualBlock1d(width, level_width, time_width, dropout))
                width = level_width
                skips.append(width)
            if level < len(widths) - 1:
                self.encoder.append(Downsample1d(width))
                skips.append(width)
        self.middle = nn.ModuleList([ResidualBlock1d(width, width, time_width, dropout) for _ in range(2)])
        self.decoder = nn.ModuleList()
        for level, level_width in reversed(list(enumerate(widths))):
            for _ in range(blocks + 1):
                self.decoder.append(ResidualBlock1d(width + skips.pop(), level_width, time_width, dropout))
                width = level_width
            if level > 0:
                self.decoder.append(Upsample1d(width))
        self.out = nn.Sequential(nn.GroupNorm(GROUPS, width), nn.SiLU(), _conv(width, in_channels))

    def forward(self, x_t: Float[Tensor, "batch channel time"], t: Int[Tensor, " batch"]) -> Float[Tensor, "batch channel time"]:
        """Predict eps; ``t`` is the integer diffusion index."""
        time = F.silu(self.time(t))
        h = self.init(x_t)
        skips = [h]
        for part in self.encoder:
            h = part(h, time)
            skips.append(h)
        for part in self.middle:
            h = part(h, time)
        for part in self.decoder:
            h = part(h, time) if isinstance(part, Upsample1d) else part(torch.cat([h, skips.pop()], dim=1), time)
        out: Tensor = self.out(h)
        return out


class ResidualBlock1d(nn.Module):
    """GroupNorm-SiLU-conv twice; the diffusion time enters between, as a shift per channel."""

    def __init__(self, width_in: int, width_out: int, time_width: int, dropout: float) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(GROUPS, width_in)
        self.conv1 = _conv(width_in, width_out)
        self.time = nn.Linear(time_width, width_out)
        self.norm2 = nn.GroupNorm(GROUPS, width_out)
        self.dropout = SeededDropout(dropout)
        self.conv2 = _conv(width_out, width_out)
        self.shortcut = nn.Conv1d(width_in, width_out, 1) if width_in != width_out else nn.Identity()

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        h = self.conv1(F.silu(self.norm1(x)))
        h = h + self.time(time)[:, :, None]
        h = self.conv2(self.dropout(F.silu(self.norm2(h))))
        out: Tensor = h + self.shortcut(x)
        return out


class Downsample1d(nn.Module):
    """A strided convolution: half the steps."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = _conv(width, width, stride=2)

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        out: Tensor = self.conv(x)
        return out


class Upsample1d(nn.Module):
    """Nearest-neighbour doubling, then a convolution."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = _conv(width, width)

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        out: Tensor = self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))
        return out


def _conv(width_in: int, width_out: int, stride: int = 1) -> nn.Conv1d:
    return nn.Conv1d(width_in, width_out, 3, stride=stride, padding=1, padding_mode="replicate")
