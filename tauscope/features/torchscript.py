"""TorchScript files: a user's own network, or one that is published that way."""

import warnings
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from tauscope.features.network import SizedNetwork
from tauscope.features.weights import FeatureError, find_weights
from tauscope.specs.features import TorchScriptFeatures

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def load_torchscript(spec: TorchScriptFeatures, device: torch.device) -> SizedNetwork:
    """The user's network.

    Raises:
        FeatureError: if the file is not there, is no TorchScript, or does not map images to one vector each.
    """
    weights = find_weights(spec)
    name = f"torchscript {weights.sha256} {spec.size} {spec.channels} {spec.value_range}"
    forward = open_torchscript(weights.path, device)
    network = SizedNetwork(forward, spec.size, spec.channels, _SCALES[spec.value_range], name, device)
    _try_out(network, spec)
    return network


def open_torchscript(path: Path, device: torch.device) -> nn.Module:
    """The module of a TorchScript file, for evaluation.

    Raises:
        FeatureError: if it cannot be read.
    """
    with warnings.catch_warnings():
        # PyTorch would rather have torch.export, whose files are not what is published.
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            module: nn.Module = torch.jit.load(str(path), map_location=device).eval()
        except (RuntimeError, ValueError) as error:
            raise FeatureError(f"{path} is no TorchScript file", "Save it with torch.jit.trace(network, example).save(path)") from error
    return module


def imagenet_scaled(pixels: Tensor) -> Tensor:
    """Values 0 to 255 as torchvision's networks were trained on them."""
    mean, std = (pixels.new_tensor(values)[:, None, None] for values in (IMAGENET_MEAN, IMAGENET_STD))
    return (pixels / 255 - mean) / std


_SCALES: dict[str, Callable[[Tensor], Tensor]] = {
    "0..1": lambda pixels: pixels / 255,
    "-1..1": lambda pixels: pixels / 127.5 - 1,
    "0..255": lambda pixels: pixels,
    "imagenet": imagenet_scaled,
}


def _try_out(network: SizedNetwork, spec: TorchScriptFeatures) -> None:
    two = torch.zeros((2, spec.channels, spec.size, spec.size), dtype=torch.uint8)
    needed = f"It has to map (N, {spec.channels}, {spec.size}, {spec.size}) floats to (N, features); set size and channels to its input"
    try:
        found = network.features(two)
    except (RuntimeError, AttributeError, IndexError) as error:
        reason = str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__
        raise FeatureError(f"{spec.path} fails on two images: {reason}", needed) from error
    if len(found) != 2 or found.shape[1] < 1:
        raise FeatureError(f"{spec.path} maps two images to an array of shape {found.shape}", needed)
