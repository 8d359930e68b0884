"""MobileNetV2 (Sandler et al. 2018, arXiv:1801.04381) up to its 1280 pooled features, with torchvision's names of weights."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from tauscope.features.network import SizedNetwork
from tauscope.features.torchscript import imagenet_scaled
from tauscope.features.weights import find_weights
from tauscope.specs.features import MobileNetFeatures

# Table 2 of the paper: expansion, output channels, blocks, first stride.
LAYOUT = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
FIRST, LAST = 32, 1280


def load_mobilenet(spec: MobileNetFeatures, device: torch.device) -> SizedNetwork:
    """The network with torchvision's first ImageNet weights.

    Raises:
        FeatureError: if the weights are not there, or others.
    """
    weights = find_weights(spec)
    network = MobileNetV2()
    state = torch.load(weights.path, map_location="cpu", weights_only=True)
    network.load_state_dict({name: value for name, value in state.items() if name.startswith("features.")})
    network = network.eval().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return SizedNetwork(network, spec.size, 3, imagenet_scaled, f"mobilenet_v2 {weights.sha256} {spec.size}", device)


class MobileNetV2(nn.Module):
    """Inverted residuals, then the mean over positions: (N, 3, H, W) to (N, 1280)."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(_convolution(3, FIRST, 3, stride=2), *_blocks(), _convolution(LAYOUT[-1][1], LAST, 1))

    def forward(self, x: Tensor) -> Tensor:
        pooled: Tensor = self.features(x).mean((2, 3))
        return pooled


class _InvertedResidual(nn.Module):
    """Widen by a 1x1 convolution, filter each channel by itself, narrow again without activation; add the input where shapes allow."""

    def __init__(self, channels_in: int, channels_out: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = channels_in * expansion
        widen = [_convolution(channels_in, wide, 1)] if expansion > 1 else []
        narrow = (nn.Conv2d(wide, channels_out, 1, bias=False), nn.BatchNorm2d(channels_out))
        self.conv = nn.Sequential(*widen, _convolution(wide, wide, 3, stride=stride, groups=wide), *narrow)
        self.adds_input = stride == 1 and channels_in == channels_out

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.conv(x)
        return x + found if self.adds_input else found


def _blocks() -> Iterator[nn.Module]:
    channels = FIRST
    for expansion, channels_out, count, first_stride in LAYOUT:
        for block in range(count):
            yield _InvertedResidual(channels, channels_out, first_stride if block == 0 else 1, expansion)
            channels = channels_out


def _convolution(channels_in: int, channels_out: int, kernel: int, *, stride: int = 1, groups: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU6(inplace=True),
    )
