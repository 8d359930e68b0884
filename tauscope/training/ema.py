"""The exponential moving average of the weights, on which every measurement is made."""

import copy

import torch
from torch import Tensor, nn


class WeightAverage:
    """theta_ema <- d_k theta_ema + (1 - d_k) theta, with d_k = min(decay, (1 + k) / (10 + k)) after k updates.

    The warm-up lets early checkpoints follow the weights instead of the initialisation.

    Args:
        network: the trained network; its copy is kept in evaluation mode as ``network``.
        decay: d for large k; ``None`` keeps no average and ``network`` equals the trained one.
    """

    def __init__(self, network: nn.Module, decay: float | None) -> None:
        self.decay = decay
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self._average: list[Tensor] = list(self.network.parameters())
        self._trained: list[Tensor] = list(network.parameters())

    @torch.no_grad()
    def update(self, updates: int) -> None:
        """Take in the weights after training step number ``updates`` (1 for the first)."""
        if self.decay is not None:
            decay = min(self.decay, (1 + updates) / (10 + updates))
            torch._foreach_lerp_(self._average, self._trained, 1 - decay)

    @torch.no_grad()
    def settle(self) -> nn.Module:
        """The network to measure with; without an average the weights are copied here, once per measurement."""
        if self.decay is None:
            torch._foreach_copy_(self._average, self._trained)
        return self.network

    def state(self) -> dict[str, Tensor]:
        return self.network.state_dict()

    def load(self, state: dict[str, Tensor]) -> None:
        self.network.load_state_dict(state)
