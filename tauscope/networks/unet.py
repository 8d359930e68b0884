"""The U-Net of Bonnaire et al. (arXiv:2505.17638): a DDPM U-Net with self-attention at chosen levels and in the middle."""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from tauscope.networks.attention import GROUPS, SelfAttention
from tauscope.networks.fourier_features import FourierFeatures
from tauscope.networks.native import channels_last, normed_silu

# From here on a CPU's convolutions are faster with the channels of a pixel side by side (docs/decisions/0019).
CHANNELS_LAST_SIZE = 16


class UNet(nn.Module):
    """Predicts eps from x_t and the diffusion index t.

    With 1 channel, multipliers (1, 2, 4), two blocks a level and attention at the two lower levels it has the published
    parameter counts: 255,089 at base width 8 and 4,023,233 at 32.

    Args:
        in_channels: channels of the images.
        base_width: channels W of the first level, a multiple of 8.
        multipliers: width of each level over W; the resolution halves from one level to the next.
        attention: whether each level has self-attention after its residual blocks.
        blocks: residual blocks per encoder level; the decoder has one more.
        heads: attention heads.
        dropout: before the second convolution of each residual block.
        diffusion_steps: size of the fixed sinusoidal table of t.
        fourier: features of the value at each pixel that the first convolution is told beside it.
        labels: how many labels it may be told, 0 for none. Their vectors are added to that of t, as is one for a label withheld.
    """

    def __init__(
        self,
        in_channels: int,
        base_width: int,
        multipliers: Sequence[int],
        attention: Sequence[bool],
        *,
        blocks: int = 2,
        heads: int = 4,
        dropout: float = 0.0,
        diffusion_steps: int = 1000,
        labels: int = 0,
        fourier: FourierFeatures | None = None,
    ) -> None:
        super().__init__()
        time_width = 4 * base_width
        widths = [base_width * multiplier for multiplier in multipliers]
        self.time = TimeEmbedding(base_width, time_width, diffusion_steps)
        self.fourier = fourier
        self.init = nn.Conv2d(in_channels + (fourier.size if fourier else 0), base_width, 3, padding=1)

        def stage(width_in: int, width_out: int, attend: bool) -> Stage:
            return Stage(width_in, width_out, time_width, heads=heads if attend else 0, dropout=dropout)

        self.encoder = nn.ModuleList()
        skips, width = [base_width], base_width
        for level, level_width in enumerate(widths):
            for _ in range(blocks):
                self.encoder.append(stage(width, level_width, attention[level]))
                width = level_width
                skips.append(width)
            if level < len(widths) - 1:
                self.encoder.append(Downsample(width))
                skips.append(width)

        self.middle = nn.ModuleList([stage(width, width, True), stage(width, width, False)])

        self.decoder = nn.ModuleList()
        for level, level_width in reversed(list(enumerate(widths))):
            for _ in range(blocks + 1):
                self.decoder.append(stage(width + skips.pop(), level_width, attention[level]))
                width = level_width
            if level > 0:
                self.decoder.append(Upsample(width))
        self.labels = LabelEmbedding(labels, time_width) if labels else None
        self.out = nn.Sequential(nn.GroupNorm(GROUPS, width), nn.SiLU(), nn.Conv2d(width, in_channels, 3, padding=1))

    def forward(
        self, x_t: Float[Tensor, "batch channel height width"], t: Int[Tensor, " batch"], labels: Int[Tensor, " batch"] | None = None
    ) -> Float[Tensor, "batch channel height width"]:
        """Predict eps; ``t`` is the integer diffusion index, and a label of -1, or none at all, is one withheld."""
        time = F.silu(self.time(t) if self.labels is None else self.time(t) + self.labels(labels, len(t)))
        h = self.init(x_t if self.fourier is None else torch.cat([x_t, self.fourier(x_t)], 1))
        skips = [h]
        for part in self.encoder:
            h = part(h, time)
            skips.append(h)
        for part in self.middle:
            h = part(h, time)
        for part in self.decoder:
            h = part(h, time) if isinstance(part, Upsample) else part(torch.cat([h, skips.pop()], dim=1), time)
        norm, _, conv = self.out
        out: Tensor = conv(normed_silu(norm, h))
        return out


def memory_format(device: torch.device, size: int) -> torch.memory_format:
    """How the kernels of convolutions are best laid out where images of this size are trained on; the images follow them."""
    last = device.type == "cpu" and size >= CHANNELS_LAST_SIZE
    return torch.channels_last if last else torch.contiguous_format


class TimeEmbedding(nn.Module):
    """A fixed sinusoidal table of the diffusion index, then linear, GELU, linear."""

    def __init__(self, width: int, time_width: int, steps: int) -> None:
        super().__init__()
        self.register_buffer("table", sinusoids(width, steps), persistent=False)
        self.project = nn.Sequential(nn.Linear(width, time_width), nn.GELU(), nn.Linear(time_width, time_width))

    def forward(self, t: Tensor) -> Tensor:
        table = self.table
        assert isinstance(table, Tensor)
        embedded: Tensor = self.project(table[t])
        return embedded


def sinusoids(width: int, steps: int) -> Float[Tensor, "steps width"]:
    """Sines and cosines of every diffusion index, at frequencies from 1 to 1/10,000."""
    half = width // 2
    frequencies = torch.exp(-math.log(10_000) * torch.arange(half) / (half - 1))
    angles = torch.arange(steps)[:, None] * frequencies[None, :]
    return torch.cat([angles.sin(), angles.cos()], dim=1)


class LabelEmbedding(nn.Module):
    """A vector for every label, the last for a label withheld; small at first, so that training begins as it does without."""

    def __init__(self, labels: int, time_width: int) -> None:
        super().__init__()
        self.table = nn.Embedding(labels + 1, time_width)
        nn.init.normal_(self.table.weight, std=0.02)

    def forward(self, labels: Int[Tensor, " batch"] | None, batch: int) -> Float[Tensor, "batch time_width"]:
        withheld = self.table.num_embeddings - 1
        if labels is None:
            labels = torch.full((batch,), withheld, device=self.table.weight.device)
        vectors: Tensor = self.table(labels.where(labels >= 0, withheld))
        return vectors


class Stage(nn.Module):
    """A residual block, then attention where the level has it."""

    def __init__(self, width_in: int, width_out: int, time_width: int, *, heads: int, dropout: float) -> None:
        super().__init__()
        self.block = ResidualBlock(width_in, width_out, time_width, dropout)
        self.attention = SelfAttention(width_out, heads) if heads else None

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        h: Tensor = self.block(x, time)
        return self.attention(h) if self.attention is not None else h


class ResidualBlock(nn.Module):
    """GroupNorm-SiLU-conv twice; the time enters between, as a shift per channel."""

    def __init__(self, width_in: int, width_out: int, time_width: int, dropout: float) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(GROUPS, width_in)
        self.conv1 = nn.Conv2d(width_in, width_out, 3, padding=1)
        self.time = nn.Linear(time_width, width_out)
        self.norm2 = nn.GroupNorm(GROUPS, width_out)
        self.dropout = SeededDropout(dropout)
        self.conv2 = nn.Conv2d(width_out, width_out, 3, padding=1)
        self.shortcut = nn.Conv2d(width_in, width_out, 1) if width_in != width_out else nn.Identity()

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        h = self.conv1(normed_silu(self.norm1, x))
        h = h + self.time(time)[:, :, None, None]
        h = self.conv2(self.dropout(normed_silu(self.norm2, h)))
        out: Tensor = h + self.shortcut(x)
        return out


class Downsample(nn.Module):
    """A strided convolution: half the height and width."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, stride=2, padding=1)

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        out: Tensor = self.conv(x)
        return out


class Upsample(nn.Module):
    """Nearest-neighbour doubling, then a convolution."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        if channels_last(x):  # Where the layout may round differently, so may this: the same in 4 products for every 9.
            return F.conv_transpose2d(x, _doubled(self.conv.weight), self.conv.bias, stride=2, padding=1)
        out: Tensor = self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))
        return out


def _doubled(weight: Float[Tensor, "out in 3 3"]) -> Float[Tensor, "in out 4 4"]:
    """The kernel of the transposed convolution of stride 2 that doubles and convolves at once: each weight over 2x2, turned around."""
    padded = F.pad(weight.flip(2, 3), (1, 1, 1, 1))
    rows = padded[:, :, :-1] + padded[:, :, 1:]
    return (rows[..., :-1] + rows[..., 1:]).transpose(0, 1)


class SeededDropout(nn.Module):
    """Dropout that draws from a given generator, so that a resumed run drops the same units.

    PyTorch's own dropout draws from the global generator, which a library must not own.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p
        self.generator: torch.Generator | None = None

    def forward(self, x: Tensor) -> Tensor:
        if self.p == 0 or not self.training:
            return x
        keep = torch.rand(x.shape, generator=self.generator, device=x.device) >= self.p
        return x * keep / (1 - self.p)
