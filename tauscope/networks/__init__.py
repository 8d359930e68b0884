"""Denoising networks: each maps (x, t) to a prediction of the same shape as x."""

from tauscope.networks.parameterized import Parameterized
from tauscope.networks.preconditioned import Preconditioned
from tauscope.networks.unet import UNet

__all__ = ["Parameterized", "Preconditioned", "UNet"]
