"""A residual perceptron that predicts eps for points of few dimensions."""

from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from tauscope.networks.fourier_features import FourierFeatures
from tauscope.networks.unet import SeededDropout, sinusoids
from tauscope.specs.mlp import TIME_FEATURES


class Mlp(nn.Module):
    """h = W_in [x_t, features of t, label]; h <- h + tanh(W h + b) in each block; eps_hat = W_out h.

    The path past the blocks is linear, as the score of a mixture is far from its centres. A point of any shape is taken as one vector.

    Args:
        dim: numbers of a point.
        width: of h.
        blocks: residual blocks.
        diffusion_steps: size of the fixed sinusoidal table of t.
        labels: how many labels it may be told, 0 for none; one more stands for a label withheld.
        dropout: before each block.
        fourier: features of the point that the first layer is told beside it.

    Attributes:
        linears: its layers, first to last; with ``skips`` each between first and last adds tanh of its answer to what it is told.
    """

    activation: Literal["tanh"] = "tanh"
    skips = True

    def __init__(
        self,
        dim: int,
        width: int,
        blocks: int,
        *,
        diffusion_steps: int = 1000,
        labels: int = 0,
        dropout: float = 0.0,
        fourier: FourierFeatures | None = None,
    ) -> None:
        super().__init__()
        told = torch.eye(labels + 1) if labels else torch.empty(1, 0)
        self.register_buffer("time", sinusoids(TIME_FEATURES, diffusion_steps), persistent=False)
        self.register_buffer("told", told, persistent=False)
        self.fourier = fourier
        self.init = nn.Linear(dim + (fourier.size if fourier else 0) + TIME_FEATURES + told.shape[1], width)
        self.blocks = nn.ModuleList([nn.Linear(width, width) for _ in range(blocks)])
        self.dropout = SeededDropout(dropout)
        self.out = nn.Linear(width, dim)

    def forward(
        self, x_t: Float[Tensor, "batch ..."], t: Int[Tensor, " batch"], labels: Int[Tensor, " batch"] | None = None
    ) -> Float[Tensor, "batch ..."]:
        """Predict eps; ``t`` is the integer diffusion index, and a label of -1, or none at all, is one withheld."""
        h = self.init(self.asked(x_t.flatten(1), t, labels))
        for block in self.blocks:
            h = h + torch.tanh(block(self.dropout(h)))
        eps_hat: Tensor = self.out(h).view(x_t.shape)
        return eps_hat

    @property
    def linears(self) -> list[nn.Linear]:
        return [layer for layer in (self.init, *self.blocks, self.out) if isinstance(layer, nn.Linear)]

    def asked(
        self, x: Float[Tensor, "batch dim"], t: Int[Tensor, " batch"], labels: Int[Tensor, " batch"] | None = None
    ) -> Float[Tensor, "batch asked"]:
        """What the first layer is told."""
        time, told = self.time, self.told
        assert isinstance(time, Tensor)
        assert isinstance(told, Tensor)
        if self.fourier is not None:
            x = torch.cat([x, self.fourier(x)], 1)
        if not told.shape[1]:
            return torch.cat([x, time[t]], 1)
        # The last row is the label withheld, which is also what -1 finds.
        return torch.cat([x, time[t], told[torch.full_like(t, -1) if labels is None else labels]], 1)
