"""Optimizers by their spec: the steps of ``torch.optim``, without its classes.

Those load PyTorch's compiler, and with it SymPy, before their first step: 0.9 s and 70 MB of each process that trains.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.optim.sgd import sgd

from tauscope.specs.optimizer import AdamSpec, SgdSpec

Slots = dict[str, Tensor]


class Optimizer(ABC):
    """Moves the weights down their gradients; ``slots`` is what it remembers of each, by its place, once it has moved it."""

    def __init__(self, parameters: Iterable[nn.Parameter]) -> None:
        self._parameters = tuple(parameters)
        self.slots: dict[int, Slots] = {}

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for parameter in self._parameters:
            parameter.grad = None

    @torch.no_grad()
    def step(self, lr: float) -> None:
        """Move every weight that has a gradient, at a learning rate."""
        moved = {place: parameter for place, parameter in enumerate(self._parameters) if parameter.grad is not None}
        self._move(list(moved), list(moved.values()), [parameter.grad for parameter in moved.values() if parameter.grad is not None], lr)

    @abstractmethod
    def _move(self, places: list[int], weights: list[Tensor], gradients: list[Tensor], lr: float) -> None:
        """Move weights; the fused kernels update all of them in one call."""

    def load(self, slots: dict[int, Slots]) -> None:
        """Go on from what another one remembered."""
        self.slots = {
            place: {name: _laid_out(value, self._parameters[place]) for name, value in found.items()} for place, found in slots.items()
        }


def _laid_out(value: Tensor, weight: Tensor) -> Tensor:
    """On the weight's device and, where it has its shape, in its layout: the fused kernels walk through both side by side."""
    return torch.empty_like(weight, dtype=value.dtype).copy_(value) if value.shape == weight.shape else value.to(weight.device)


class Adam(Optimizer):
    """Kingma and Ba 2015, arXiv:1412.6980; it remembers ``step``, ``exp_avg`` and ``exp_avg_sq``."""

    def __init__(self, parameters: Iterable[nn.Parameter], spec: AdamSpec) -> None:
        super().__init__(parameters)
        self._spec = spec

    def _move(self, places: list[int], weights: list[Tensor], gradients: list[Tensor], lr: float) -> None:
        for place, weight in zip(places, weights, strict=True):
            if place not in self.slots:
                empty = {name: torch.zeros_like(weight) for name in ("exp_avg", "exp_avg_sq")}
                self.slots[place] = {"step": torch.zeros((), dtype=torch.float32, device=weight.device), **empty}
        first, second, steps = ([self.slots[place][name] for place in places] for name in ("exp_avg", "exp_avg_sq", "step"))
        torch._foreach_add_(steps, 1)
        moving = torch._fused_adamw_ if self._spec.weight_decay > 0 else torch._fused_adam_
        moving(
            *(weights, gradients, first, second, [], steps),
            lr=lr,
            beta1=self._spec.betas[0],
            beta2=self._spec.betas[1],
            weight_decay=self._spec.weight_decay,
            eps=1e-8,
            amsgrad=False,
            maximize=False,
        )


class Sgd(Optimizer):
    """Gradient descent with heavy-ball momentum; it remembers ``momentum_buffer`` unless the momentum is 0."""

    def __init__(self, parameters: Iterable[nn.Parameter], spec: SgdSpec) -> None:
        super().__init__(parameters)
        self._spec = spec

    def _move(self, places: list[int], weights: list[Tensor], gradients: list[Tensor], lr: float) -> None:
        moving: list[Tensor | None] = [self.slots.get(place, {}).get("momentum_buffer") for place in places]
        sgd(
            *(weights, gradients, moving),
            fused=True,
            weight_decay=self._spec.weight_decay,
            momentum=self._spec.momentum,
            lr=lr,
            dampening=0.0,
            nesterov=False,
            maximize=False,
        )
        for place, buffer in zip(places, moving, strict=True):
            if buffer is not None:
                self.slots[place] = {"momentum_buffer": buffer}


def build_optimizer(parameters: Iterable[nn.Parameter], spec: AdamSpec | SgdSpec) -> Optimizer:
    """The optimizer that the spec names."""
    return Sgd(parameters, spec) if isinstance(spec, SgdSpec) else Adam(parameters, spec)
