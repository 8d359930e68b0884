"""Predictors of noise that are known exactly."""

from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor

from tauscope.theory.mixture import Mixture

ExactEps = Callable[[Float[Tensor, "point ..."], float], Float[Tensor, "point ..."]]
"""eps at points x_t for an alpha_bar: -sqrt(1 - alpha_bar) times the score of a law that is known."""


def population_eps(population: Mixture) -> ExactEps:
    """The prediction of a mixture that points are drawn from, in float64."""

    def eps(x_t: Float[Tensor, "point dim"], alpha_bar: float) -> Float[Tensor, "point dim"]:
        return -((1 - alpha_bar) ** 0.5) * population.to(x_t.device).noised(alpha_bar).score(x_t)

    return eps
