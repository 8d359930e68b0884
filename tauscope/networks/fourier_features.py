"""Random Fourier features of the input (Rahimi and Recht 2007; Tancik et al. 2020, arXiv:2006.10739)."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn


class FourierFeatures(nn.Module):
    """x -> sqrt(2) [cos(x B), sin(x B)] with B ~ N(0, scale^2): each feature of mean square 1, as the coordinates of data of variance 1.

    The kernel of a first layer on top of them is a Gaussian of width 1 / scale in x: a greater scale makes sharp functions easy to learn.
    The frequencies are drawn once, from PyTorch's own generator, and never trained.

    Args:
        dim: numbers of a point.
        count: frequencies.
        scale: standard deviation of each coordinate of a frequency, in radians per unit of x.
    """

    def __init__(self, dim: int, count: int, scale: float) -> None:
        super().__init__()
        self.register_buffer("frequencies", scale * torch.randn(dim, count), persistent=False)

    @property
    def size(self) -> int:
        """Features of a point."""
        frequencies = self.frequencies
        assert isinstance(frequencies, Tensor)
        return 2 * frequencies.shape[1]

    def forward(self, x: Float[Tensor, "batch dim ..."]) -> Float[Tensor, "batch feature ..."]:
        """The features, of images at each pixel."""
        frequencies = self.frequencies
        assert isinstance(frequencies, Tensor)
        phase = x @ frequencies if x.ndim == 2 else torch.einsum("bd...,df->bf...", x, frequencies)
        return math.sqrt(2) * torch.cat([torch.cos(phase), torch.sin(phase)], 1)
