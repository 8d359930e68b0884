"""Optimizers by their spec: the steps of ``torch.optim``, without its classes.

Those load PyTorch's compiler, and with it SymPy, before their first step: 0.9 s and 70 MB of each process that trains.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn
from torch.optim.sgd import sgd

from tauscope.networks import native
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
                self.slots[place] = _nothing_yet(weight)
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


class CompiledAdam(Adam):
    """The same of all weights in one tensor, by machine code: on a small network a fifth of the time.

    Args:
        whole: the weights, with a gradient that stays where it is, on one core (``networks.native.where``).
    """

    def __init__(self, whole: nn.Parameter, spec: AdamSpec) -> None:
        from tauscope.training import perceptron_jit

        super().__init__([whole], spec)
        self._adam = perceptron_jit.adam
        self._rest = (*spec.betas, spec.weight_decay)
        self._seen: Slots = {}

    def step(self, lr: float) -> None:
        if self.slots.get(0) is not self._seen:
            self._look()
        self._adam(*self._numbers, lr, *self._rest)

    def _look(self) -> None:
        """See what is moved, and what is remembered of it, as NumPy does."""
        (whole,) = self._parameters
        assert whole.grad is not None
        self._seen = self.slots.setdefault(0, _nothing_yet(whole))
        first, second, step = (self._seen[name] for name in ("exp_avg", "exp_avg_sq", "step"))
        self._numbers = tuple(part.numpy() for part in (whole.detach(), whole.grad, first, second, step.view(1)))


def _nothing_yet(weight: Tensor) -> Slots:
    empty = {name: torch.zeros_like(weight) for name in ("exp_avg", "exp_avg_sq")}
    return {"step": torch.zeros((), dtype=torch.float32, device=weight.device), **empty}


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


def build_optimizer(parameters: Sequence[nn.Parameter], spec: AdamSpec | SgdSpec, *, whole: bool = False) -> Optimizer:
    """The optimizer that the spec names; ``whole`` says that one parameter is all weights, and that its gradient stays where it is."""
    if isinstance(spec, SgdSpec):
        return Sgd(parameters, spec)
    return CompiledAdam(parameters[0], spec) if whole and native.where(parameters[0]) else Adam(parameters, spec)
