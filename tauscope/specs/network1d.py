"""The network for windows of a series."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from tauscope.specs.network import NetworkSpec
from tauscope.specs.shown import shown


class UNet1dSpec(NetworkSpec):
    """A U-Net with convolutions along time and no attention."""

    name: Literal["unet1d"] = "unet1d"
    base_width: int = shown(32, "Base width W", "channels W of the first level, a multiple of 8", ge=8, le=4096, unit="channels")
    multipliers: tuple[Annotated[int, Field(ge=1, le=64)], ...] = shown(
        (1, 2), "Width multipliers", "width of each level over W", min_length=1, max_length=8, advanced=True
    )
    blocks: int = shown(1, "Blocks a level", "residual blocks per encoder level", ge=1, le=64, advanced=True)
    dropout: float = shown(0.0, "Dropout", "dropout before each block's second convolution", ge=0, lt=1, advanced=True)

    @field_validator("base_width")
    @classmethod
    def _groups_divide(cls, width: int) -> int:
        if width % 8:
            raise ValueError("must be a multiple of 8, the number of normalisation groups | Use 8, 16, 24 or 32, for instance")
        return width

    def parameters(self, channels: int) -> int:
        """Trained parameters p, layer by layer as ``tauscope.networks.unet1d`` builds it; buffers do not count."""
        width, time = self.base_width, 4 * self.base_width
        count = _affine(width, time) + _affine(time, time) + _conv3(channels, width)
        widths = [width * multiplier for multiplier in self.multipliers]
        skips, here = [width], width
        for level, wide in enumerate(widths):
            for _ in range(self.blocks):
                count += _block(here, wide, time)
                skips.append(here := wide)
            if level < len(widths) - 1:
                count += _conv3(here, here)
                skips.append(here)
        count += 2 * _block(here, here, time)
        for level, wide in reversed(list(enumerate(widths))):
            for _ in range(self.blocks + 1):
                count += _block(here + skips.pop(), wide, time)
                here = wide
            if level > 0:
                count += _conv3(here, here)
        return count + 2 * here + _conv3(here, channels)


def _block(width_in: int, width_out: int, time: int) -> int:
    shortcut = _affine(width_in, width_out) if width_in != width_out else 0
    return 2 * width_in + 2 * width_out + _conv3(width_in, width_out) + _conv3(width_out, width_out) + _affine(time, width_out) + shortcut


def _affine(width_in: int, width_out: int) -> int:
    return (width_in + 1) * width_out


def _conv3(width_in: int, width_out: int) -> int:
    return (3 * width_in + 1) * width_out
