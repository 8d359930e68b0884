"""Averages of the weights: one on which every measurement is made, and further ones of other lengths."""

import copy
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from tauscope.specs.optimizer import EmaSpec, PowerEmaSpec
from tauscope.training.gathered import gather

Decay = Callable[[int], float]


class WeightAverage:
    """theta_ema <- d_k theta_ema + (1 - d_k) theta, with d_k by a rule that knows k, the number of updates.

    Args:
        network: the trained network; its copy is kept in evaluation mode as ``network``.
        decay: d_k; ``None`` keeps no average and ``network`` equals the trained one.
        whole: all weights of the network, if they lie in one tensor; those of the copy then do too.
    """

    def __init__(self, network: nn.Module, decay: Decay | None, whole: Tensor | None = None) -> None:
        self.decay = decay
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self._average: list[Tensor] = list(self.network.parameters())
        self._trained: list[Tensor] = list(network.parameters())
        if whole is not None:
            self._average, self._trained = [gather(list(self.network.parameters()))], [whole]

    @torch.no_grad()
    def update(self, updates: int) -> None:
        """Take in the weights after training step number ``updates`` (1 for the first)."""
        if self.decay is not None:
            torch._foreach_lerp_(self._average, self._trained, 1 - self.decay(updates))

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


def decay_rule(spec: EmaSpec | PowerEmaSpec, length: float) -> Decay:
    """d_k of an average of the spec's kind and of this length.

    ``constant``: min(decay, (1 + k) / (10 + k)), whose warm-up lets early checkpoints follow the weights instead of the
    initialisation. ``power``: (1 - 1/k)^(gamma + 1) (Karras et al. 2024, arXiv:2312.02696, eq. 121), which needs none.
    """
    if isinstance(spec, EmaSpec):
        return lambda k: min(length, (1 + k) / (10 + k))
    gamma = power_of(length)
    return lambda k: (1 - 1 / k) ** (gamma + 1)


def power_of(relative_std: float) -> float:
    """gamma of the profile tau^gamma with this standard deviation over the training time.

    The positive root of sigma^2 (gamma + 2)^2 (gamma + 3) = gamma + 1 (arXiv:2312.02696, eq. 123).
    """
    weight = relative_std**-2
    return float(np.roots([1, 7, 16 - weight, 12 - weight]).real.max())
