"""Predictors of noise that are known exactly."""

from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor

ExactEps = Callable[[Float[Tensor, "point ..."], float], Float[Tensor, "point ..."]]
"""eps at points x_t for an alpha_bar: -sqrt(1 - alpha_bar) times the score of a law that is known."""
