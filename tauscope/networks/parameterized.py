"""Networks that predict the image, or v, behind the face of an eps-predictor."""

from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from tauscope.process import Diffusion


class Parameterized(nn.Module):
    """eps_hat = a x_t + b net(x_t, t), where net learns x_0 or v = sqrt(alpha_bar) eps - sqrt(1 - alpha_bar) x_0.

    Salimans and Ho 2022, arXiv:2202.00512, section 4 and appendix D. For x_0: a = 1 / sqrt(1 - alpha_bar),
    b = -sqrt(alpha_bar) / sqrt(1 - alpha_bar). For v: a = sqrt(1 - alpha_bar), b = sqrt(alpha_bar).

    Args:
        network: maps (x_t, t) to the shape of x_t.
        diffusion: the forward process.
        target: what it learns.
    """

    def __init__(self, network: nn.Module, diffusion: Diffusion, target: Literal["x0", "v"]) -> None:
        super().__init__()
        self.network = network
        self.learns = target
        signal, noise = diffusion.alpha_bar.sqrt(), (1 - diffusion.alpha_bar).sqrt()
        ab = (1 / noise, -signal / noise) if target == "x0" else (noise, signal)
        self.register_buffer("scales", torch.stack([*ab, signal, noise]).float(), persistent=False)

    def forward(
        self, x_t: Float[Tensor, "batch ..."], t: Int[Tensor, " batch"], *labels: Int[Tensor, " batch"]
    ) -> Float[Tensor, "batch ..."]:
        """Predict eps at the integer diffusion indices t, for labels where the network takes them."""
        return self.eps(x_t, t, self.network(x_t, t, *labels))

    def eps(
        self, x_t: Float[Tensor, "batch ..."], t: Int[Tensor, " batch"], answered: Float[Tensor, "batch ..."]
    ) -> Float[Tensor, "batch ..."]:
        """eps_hat of what the network inside answered."""
        a, b, _, _ = self._at(t, like=x_t)
        return a * x_t + b * answered

    def target(
        self,
        x_0: Float[Tensor, "batch ..."],
        t: Int[Tensor, " batch"],
        eps: Float[Tensor, "batch ..."],
    ) -> Float[Tensor, "batch ..."]:
        """What the network inside is to answer at the noised images."""
        if self.learns == "x0":
            return x_0
        _, _, signal, noise = self._at(t, like=x_0)
        return signal * eps - noise * x_0

    def _at(self, t: Tensor, *, like: Tensor) -> Tensor:
        scales = self.scales
        assert isinstance(scales, Tensor)
        return scales[:, t].reshape(4, -1, *(1,) * (like.ndim - 1))
