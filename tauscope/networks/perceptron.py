"""A fully connected network for one diffusion time, which it is not told."""

from typing import Literal

from jaxtyping import Float, Int
from torch import Tensor, nn

Activation = Literal["relu", "silu", "tanh"]
_ACTIVATIONS: dict[Activation, type[nn.Module]] = {"relu": nn.ReLU, "silu": nn.SiLU, "tanh": nn.Tanh}


class Perceptron(nn.Module):
    """dim -> W -> ... -> W -> dim with an activation after every layer but the last; predicts eps from x_t.

    Args:
        dim: of a point.
        width: W, units of each hidden layer.
        layers: hidden layers.
        activation: between them.

    Attributes:
        linears: its layers, first to last; each answer but the last passes the activation, and without ``skips`` nothing is added to it.
    """

    skips = False

    def __init__(self, dim: int, width: int, *, layers: int, activation: Activation) -> None:
        super().__init__()
        self.activation: Activation = activation
        made = _ACTIVATIONS[activation]
        hidden = [part for inputs in (dim, *[width] * (layers - 1)) for part in (nn.Linear(inputs, width), made())]
        self.body = nn.Sequential(*hidden, nn.Linear(width, dim))

    def forward(self, x_t: Float[Tensor, "batch dim"], t: Int[Tensor, " batch"]) -> Float[Tensor, "batch dim"]:
        """The predicted noise; ``t`` is there as every denoiser is called with it, and is always the same."""
        eps_hat: Tensor = self.body(x_t)
        return eps_hat

    @property
    def linears(self) -> list[nn.Linear]:
        return [layer for layer in self.body if isinstance(layer, nn.Linear)]

    def asked(self, x: Float[Tensor, "batch dim"], t: Int[Tensor, " batch"]) -> Float[Tensor, "batch dim"]:
        """What the first layer is told: the point alone."""
        return x
