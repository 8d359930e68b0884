"""Predictors of noise that are known exactly."""

from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from tauscope.theory.mixture import Mixture


@runtime_checkable
class ExactEps(Protocol):
    """eps at points x_t for an alpha_bar: -sqrt(1 - alpha_bar) times the score of a law that is known."""

    def __call__(
        self, x_t: Float[Tensor, "point ..."], alpha_bar: float, labels: Int[Tensor, " point"] | None = None
    ) -> Float[Tensor, "point ..."]: ...


def population_eps(population: Mixture) -> ExactEps:
    """The prediction of a mixture that points are drawn from, in float64; for a point whose label is told, that of this component."""

    def eps(x_t: Float[Tensor, "point dim"], alpha_bar: float, labels: Int[Tensor, " point"] | None = None) -> Float[Tensor, "point dim"]:
        noised = population.to(x_t.device).noised(alpha_bar)
        if labels is None:
            return -((1 - alpha_bar) ** 0.5) * noised.score(x_t)
        found = torch.empty(x_t.shape, dtype=torch.float64, device=x_t.device)
        for label in labels.unique().tolist():
            told = labels == label
            found[told] = noised.component(label).score(x_t[told])
        return -((1 - alpha_bar) ** 0.5) * found

    return eps
