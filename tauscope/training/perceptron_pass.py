"""Forward and backward pass of a perceptron, written out: no graph, no modules, nothing allocated between two steps.

A step of so small a network is some fifteen products of matrices; through autograd the operations around them cost several times as much.
Where machine code of ours may be asked (``networks.native``) one call does all of it; elsewhere a call of PyTorch does each part.
"""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from tauscope.networks import Parameterized, Preconditioned, native
from tauscope.networks.mlp import Mlp
from tauscope.networks.perceptron import Perceptron
from tauscope.process import Diffusion
from tauscope.specs import DenoiserSpec
from tauscope.training.draws import Draws

AHEAD, AHEAD_NUMBERS = 64, 2**20  # Steps whose inputs are made at once, and numbers of them.

Activation = Literal["relu", "silu", "tanh"]
Numbers = np.ndarray[Any, np.dtype[np.float32]]
# What is applied in place or into a second tensor, and the gradient from what is kept: the answer, or for SiLU the question.
_APPLY: dict[Activation, Callable[[Tensor, Tensor], Tensor]] = {
    "relu": lambda z, out: z.relu_(),
    "silu": lambda z, out: torch.ops.aten.silu.out(z, out=out),
    "tanh": lambda z, out: z.tanh_(),
}
_threshold_backward = torch.ops.aten.threshold_backward.grad_input
_GRADIENT: dict[Activation, Callable[..., Tensor]] = {
    "relu": lambda g, kept, *, grad_input: _threshold_backward(g, kept, 0, grad_input=grad_input),
    "silu": torch.ops.aten.silu_backward.grad_input,
    "tanh": torch.ops.aten.tanh_backward.grad_input,
}


class _Layer:
    """y = f(W x + b), or x + f(W x + b), of one batch size.

    Args:
        linear: W and b, with tensors for their gradients.
        rows: of a batch.
        activation: f; the identity if ``None``.
        skip: whether x is added.
        from_here: where the gradient of y is put; with ``skip`` that of x takes its place.
        below: where the gradient of x is put, if anywhere.
    """

    def __init__(
        self, linear: nn.Linear, rows: int, activation: Activation | None, *, skip: bool, from_here: Tensor, below: Tensor | None
    ) -> None:
        weight, bias = linear.weight, linear.bias
        assert weight.grad is not None and bias.grad is not None
        self._weight, self._bias, self._transposed = weight.data, bias.data, weight.data.T
        self._weight_gradient, self._bias_gradient = weight.grad, bias.grad
        self._skip, self._below, self._gradient = skip, below, from_here
        self._z = torch.empty(rows, linear.out_features)
        self._apply = _APPLY[activation] if activation else None
        self._backward = _GRADIENT[activation] if activation else None
        self._f = torch.empty_like(self._z) if activation == "silu" else self._z
        self._y = torch.empty_like(self._z) if skip else self._f
        # What is kept of the question is not needed any more once its gradient is there.
        self._inner = self._z if activation else from_here
        self._inner_transposed = self._inner.T

    def forward(self, x: Tensor) -> Tensor:
        self._x = x
        torch.addmm(self._bias, x, self._transposed, out=self._z)
        if self._apply:
            self._apply(self._z, self._f)
        return torch.add(x, self._f, out=self._y) if self._skip else self._y

    def backward(self) -> None:
        if self._backward:
            self._backward(self._gradient, self._z, grad_input=self._inner)
        torch.mm(self._inner_transposed, self._x, out=self._weight_gradient)
        torch.sum(self._inner, 0, out=self._bias_gradient)
        if self._skip:
            self._gradient.addmm_(self._inner, self._weight)
        elif self._below is not None:
            torch.mm(self._inner, self._weight, out=self._below)


class _Layers:
    """Both passes by PyTorch, one layer after the other."""

    def __init__(self, core: Mlp | Perceptron, rows: int) -> None:
        self._layers, self._gradient = _layers(core, rows)
        self._last_first = self._layers[::-1]
        self._residual = torch.empty_like(self._gradient)
        self._flat = self._residual.view(-1), self._gradient.view(-1)

    def by_step(self, made: tuple[Tensor, ...]) -> list[tuple[Tensor, ...]]:
        return list(zip(*(part.unbind() for part in made), strict=True))

    def gradient(self, x: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        for layer in self._layers:
            x = layer.forward(x)
        torch.sub(x, target, out=self._residual)
        torch.mul(self._residual, weight, out=self._gradient)
        for layer in self._last_first:
            layer.backward()
        return torch.dot(*self._flat) / 2


class _MachineCode:
    """Both passes by one call of ``training.perceptron_jit``."""

    def __init__(self, core: Mlp | Perceptron, rows: int, whole: nn.Parameter) -> None:
        import scipy.linalg.cython_blas  # noqa: F401  # Numba would load it at the first call only: with all threads.
        from threadpoolctl import threadpool_limits

        from tauscope.training import perceptron_jit

        # PyTorch has one thread here, but SciPy's BLAS counts its own.
        threadpool_limits(1, user_api="blas")
        assert whole.grad is not None
        *hidden, last = core.linears
        wide = last.in_features
        h, kept = torch.empty(2, len(hidden), rows, wide).numpy()
        gradient, inner = torch.empty(2, rows, wide).numpy()
        activation = perceptron_jit.ACTIVATIONS.index(core.activation)
        self._passes = perceptron_jit.passes
        self._weights = whole.detach().numpy(), whole.grad.numpy()
        self._known = h, kept, gradient, inner, torch.empty(rows, last.out_features).numpy(), activation, core.skips

    def by_step(self, made: tuple[Tensor, ...]) -> list[tuple[Numbers, ...]]:
        return list(zip(*(part.numpy() for part in made), strict=True))

    def gradient(self, x: Numbers, target: Numbers, weight: Numbers) -> Tensor:
        return torch.tensor(self._passes(x, target, weight, *self._weights, *self._known), dtype=torch.float32)


class PerceptronPass:
    """The gradient of one step after the other, into the gradients of the network's weights.

    Args:
        spec: the run.
        network: which ``served`` serves, with tensors for the gradients.
        whole: all its weights, in order, as one parameter with a gradient.
        diffusion: the forward process.
        x_0: the training points.
        draws: of each step.
    """

    def __init__(
        self,
        spec: DenoiserSpec,
        network: nn.Module,
        whole: nn.Parameter,
        diffusion: Diffusion,
        x_0: Float[Tensor, "n_train ..."],
        draws: Draws,
    ) -> None:
        core = _core(network)
        assert core is not None
        self._core, self._x_0, self._draws = core, x_0, draws
        self._rows = spec.batch
        self._passes = _MachineCode(core, spec.batch, whole) if native.where(x_0) else _Layers(core, spec.batch)
        width = core.linears[0].in_features + 2 * core.linears[-1].out_features
        self._ahead = max(1, min(AHEAD, AHEAD_NUMBERS // (spec.batch * width)))
        self._by_index = _by_index(network, diffusion)
        self._by_index[4] *= 2 / (spec.batch * core.linears[-1].out_features)
        self._made = range(0)
        self._asked: list[Any] = []

    @torch.no_grad()
    def gradient(self, step: int) -> Tensor:
        """Put the gradient of a step's loss where the weights keep theirs, and return the loss."""
        return self._passes.gradient(*self._at(step))

    def _at(self, step: int) -> Any:
        """Of a step what ``_make`` makes, as the passes take it."""
        if step not in self._made:
            self._made = range(step, step + self._ahead)
            self._asked = self._passes.by_step(self._make())
        return self._asked[step - self._made.start]

    def _make(self) -> tuple[Tensor, ...]:
        """What the perceptron is asked, what it is to answer, and the derivative of the loss by that: so many times the residual; each
        [step, row, number]."""
        drawn = [self._draws.at(step) for step in self._made]
        x_0 = self._x_0[torch.cat([each.batch for each in drawn])]
        t, eps = torch.cat([each.t for each in drawn]), torch.cat([each.eps for each in drawn])
        told = (torch.cat(labels) for labels in zip(*(each.told for each in drawn), strict=True))
        of_asked, eps_of_asked, of_target, eps_of_target, weight = self._by_index[:, t, None].unbind()
        x_0, eps = x_0.flatten(1), eps.flatten(1)
        asked = self._core.asked((of_asked * x_0).addcmul_(eps_of_asked, eps), t, *told)
        target = (of_target * x_0).addcmul_(eps_of_target, eps)
        return tuple(part.view(len(drawn), self._rows, -1) for part in (asked, target, weight))


def served(spec: DenoiserSpec, network: nn.Module, device: torch.device) -> bool:
    """Whether this pass is that of a run; else autograd is: for other networks, dropout, and what is not whole in float32 on one CPU."""
    compute, core = spec.compute, _core(network)
    plain = compute.precision == "float32" and compute.micro_batch is None and not compute.compile and compute.devices == 1
    return plain and device.type == "cpu" and core is not None and not (isinstance(core, Mlp) and core.dropout.p)


def _core(network: nn.Module) -> Mlp | Perceptron | None:
    inner = network.network if isinstance(network, Parameterized | Preconditioned) else network
    return inner if isinstance(inner, Mlp | Perceptron) else None


def _layers(core: Mlp | Perceptron, rows: int) -> tuple[list[_Layer], Tensor]:
    """The layers, and where the gradient of what the last one answers is to be put."""
    first, *hidden, last = core.linears
    gradient, below = torch.empty(rows, last.out_features), torch.empty(rows, last.in_features)
    made = [_Layer(last, rows, None, skip=False, from_here=gradient, below=below)]
    for linear in reversed(hidden):
        from_here, below = below, below if core.skips else torch.empty(rows, linear.in_features)
        made.append(_Layer(linear, rows, core.activation, skip=core.skips, from_here=from_here, below=below))
    made.append(_Layer(first, rows, None if core.skips else core.activation, skip=False, from_here=below, below=None))
    return made[::-1], gradient


def _by_index(network: nn.Module, diffusion: Diffusion) -> Float[Tensor, "5 steps"]:
    """At each diffusion index what makes the point that the perceptron inside is asked about, and the answer that it is to give, out of
    x_0 and eps, and the weight of its squared error."""
    signal, noise = diffusion.alpha_bar.sqrt(), (1 - diffusion.alpha_bar).sqrt()
    none, one = torch.zeros_like(signal), torch.ones_like(signal)
    if isinstance(network, Preconditioned):
        scales = network.scales
        assert isinstance(scales, Tensor)
        a, b, c = scales.double().unbind()
        b = b.clamp_min(1e-12)  # It is 0 where all training points are one.
        return torch.stack([c * signal, c * noise, -a * signal / b, (1 - a * noise) / b, b.square()]).float()
    target = {"eps": (none, one), "x0": (one, none), "v": (-noise, signal)}[network.learns if isinstance(network, Parameterized) else "eps"]
    return torch.stack([signal, noise, *target, one]).float()
