"""The feature networks by the tag of their spec."""

from collections.abc import Callable
from typing import Any

import torch

from tauscope.features.inception import load_inception
from tauscope.features.mobilenet import load_mobilenet
from tauscope.features.network import FeatureNetwork, Images
from tauscope.features.pixels_pca import PixelsPca
from tauscope.features.torchscript import load_torchscript
from tauscope.specs.features import Features

# What makes a network from its spec, the real images it may be fitted to, and the device.
_NETWORKS: dict[str, Callable[[Any, Images, torch.device], FeatureNetwork]] = {
    "pixels_pca": lambda spec, held_out, _device: PixelsPca.fit(spec, held_out.cpu()),
    "inception": lambda spec, _held_out, device: load_inception(spec, device),
    "mobilenet_v2": lambda spec, _held_out, device: load_mobilenet(spec, device),
    "torchscript": lambda spec, _held_out, device: load_torchscript(spec, device),
}


def build_features(spec: Features, held_out: Images, device: torch.device) -> FeatureNetwork:
    """The network of a spec; ``held_out`` are reference images, which principal components are fitted to.

    Raises:
        FeatureError: if its weights are not there, or not what they should be.
    """
    return _NETWORKS[spec.name](spec, held_out, device)
