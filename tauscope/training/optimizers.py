"""Optimizers by their spec."""

from collections.abc import Iterable

from torch import nn, optim

from tauscope.specs.optimizer import AdamSpec, SgdSpec


def build_optimizer(parameters: Iterable[nn.Parameter], spec: AdamSpec | SgdSpec) -> optim.Optimizer:
    """The optimizer that the spec names; the fused kernels update all weights in one call."""
    if isinstance(spec, SgdSpec):
        return optim.SGD(parameters, lr=spec.lr, momentum=spec.momentum, fused=True)
    return optim.Adam(parameters, lr=spec.lr, betas=spec.betas, fused=True)
