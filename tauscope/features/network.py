"""What a feature network is: from images as bytes to features, with an identity that says all that decides its numbers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from jaxtyping import Float, UInt8
from numpy import ndarray
from torch import Tensor
from torch.nn import functional as F

Images = UInt8[Tensor, "image channel height width"]
Pixels = Float[Tensor, "image channel height width"]


class FeatureNetwork(Protocol):
    """Maps images to features, the same ones for the same images in the same batch."""

    @property
    def identity(self) -> str:
        """Weights by their hash, and how images are brought to the network's size and values: the key of cached features."""
        ...

    def features(self, images: Images) -> Float[ndarray, "image feature"]:
        """The features of uint8 images."""
        ...


@dataclass(frozen=True)
class SizedNetwork:
    """A network of fixed input: images are resized, given its channels, and scaled to the values that it was trained on.

    Attributes:
        forward: from scaled images to features.
        size: height and width of its input.
        channels: of its input: 3 repeats a grey image, 1 averages colours.
        scale: from pixel values 0 to 255 to the network's own.
        name: weights by their hash, and how images are brought to size and values.
        device: where it computes.
    """

    forward: Callable[[Tensor], Tensor]
    size: int
    channels: int
    scale: Callable[[Tensor], Tensor]
    name: str
    device: torch.device

    @property
    def identity(self) -> str:
        """Its name and the kind of device, whose rounding is its own."""
        return f"{self.name} {self.device.type}"

    @torch.no_grad()
    def features(self, images: Images) -> Float[ndarray, "image feature"]:
        pixels = resized(with_channels(images.to(self.device).float(), self.channels), self.size)
        found: ndarray = self.forward(self.scale(pixels)).flatten(1).float().cpu().numpy()
        return found


def resized(pixels: Pixels, size: int) -> Pixels:
    """Bilinear with antialiasing, not rounded: the filter of PIL's bilinear resize (see Parmar et al. 2022, arXiv:2104.11222)."""
    if pixels.shape[-2:] == (size, size):
        return pixels
    return F.interpolate(pixels, size=(size, size), mode="bilinear", antialias=True, align_corners=False)


def with_channels(pixels: Pixels, channels: int) -> Pixels:
    """Grey images repeated to three channels, or colours averaged to one."""
    if pixels.shape[1] == channels:
        return pixels
    return pixels.expand(-1, channels, -1, -1) if pixels.shape[1] == 1 else pixels.mean(1, keepdim=True)
