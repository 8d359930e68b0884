"""Preconditioning: the network predicts only what a Gaussian of the data's scale does not already explain."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from tauscope.process import Diffusion


class Preconditioned(nn.Module):
    """eps_hat = a x_t + b net(c x_t, t), exact at net = 0 for data ~ N(0, s^2 I).

    With v = alpha_bar s^2 + 1 - alpha_bar: a = sqrt(1 - alpha_bar) / v, b = sqrt(alpha_bar) s / sqrt(v), c = 1 / sqrt(v).
    The same scaling as Karras et al. 2022 (arXiv:2206.00364, table 1), written for eps in the variance-preserving process.

    Args:
        network: maps (x, t) to the shape of x.
        diffusion: the forward process.
        data_std: s, the standard deviation of the training points in model units.
    """

    def __init__(self, network: nn.Module, diffusion: Diffusion, data_std: float) -> None:
        super().__init__()
        self.network = network
        alpha_bar = diffusion.alpha_bar
        v = alpha_bar * data_std**2 + 1 - alpha_bar
        scales = torch.stack([(1 - alpha_bar).sqrt() / v, alpha_bar.sqrt() * data_std / v.sqrt(), 1 / v.sqrt()])
        self.register_buffer("scales", scales.float(), persistent=False)

    def forward(
        self, x_t: Float[Tensor, "batch ..."], t: Int[Tensor, " batch"], *labels: Int[Tensor, " batch"]
    ) -> Float[Tensor, "batch ..."]:
        """Predict eps at the integer diffusion indices t, for labels where the network takes them."""
        scales = self.scales
        assert isinstance(scales, Tensor)
        a, b, c = scales[:, t].reshape(3, -1, *(1,) * (x_t.ndim - 1))
        eps_hat: Tensor = a * x_t + b * self.network(c * x_t, t, *labels)
        return eps_hat
