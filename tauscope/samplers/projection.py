"""Taking the direction of the training set's own score out of the learned one while samples are drawn."""

from collections.abc import Callable
from dataclasses import dataclass

from jaxtyping import Float, Int
from torch import Tensor

from tauscope.process import Diffusion
from tauscope.theory.empirical import empirical_eps
from tauscope.theory.exact import ExactEps

Points = Float[Tensor, "point ..."]


@dataclass(frozen=True)
class Direction:
    """Where a prediction is counted from, and where it must not go: eps of a reference, and what leads from it to the training set's."""

    origin: Points
    delta: Points


DirectionAt = Callable[[Points, Int[Tensor, " point"], float], Direction]
"""The direction at points x_t for their diffusion index, the same for all, and its alpha_bar."""


def from_population(train: Tensor, population: ExactEps) -> DirectionAt:
    """The coefficient is alpha: 0 at the population's score, 1 at the training set's."""

    def direction(x_t: Points, t: Tensor, alpha_bar: float) -> Direction:
        return _towards(train, population(x_t, alpha_bar), x_t, alpha_bar)

    return direction


def from_network(train: Tensor, network: Callable[[Tensor, Tensor], Tensor]) -> DirectionAt:
    """The same from what a network predicts that knows less of the training set: the run's own at an earlier step."""

    def direction(x_t: Points, t: Tensor, alpha_bar: float) -> Direction:
        return _towards(train, network(x_t, t).double(), x_t, alpha_bar)

    return direction


def _towards(train: Tensor, origin: Points, x_t: Points, alpha_bar: float) -> Direction:
    return Direction(origin, empirical_eps(x_t, train, alpha_bar=alpha_bar) - origin)


def from_held_out(train: Points, held_out: Points) -> DirectionAt:
    """The coefficient is alpha_ho (``probes.projection``), from the mean of both sets: 0 knows neither, 1/2 has memorized the first."""

    def direction(x_t: Points, t: Tensor, alpha_bar: float) -> Direction:
        first, second = (empirical_eps(x_t, part, alpha_bar=alpha_bar) for part in (train, held_out))
        return Direction((first + second) / 2, first - second)

    return direction


def projected(
    eps_model: Callable[[Tensor, Tensor], Tensor],
    diffusion: Diffusion,
    direction: DirectionAt,
    *,
    most: float = 1.0,
) -> Callable[[Tensor, Tensor], Tensor]:
    """The predictor without its projection on the empirical direction, point by point: eps - c delta, with

    c = <eps - origin, delta> / |delta|^2, clipped to lie between 0 and ``most``. eps is the score times -sqrt(1 - alpha_bar), so c
    is that of the scores. Where both sets say the same, delta vanishes and nothing is taken out. All points of a call have one index.

    Args:
        eps_model: maps (x_t, t) to eps_hat.
        diffusion: the forward process.
        direction: of the run's training set, see ``from_population``, ``from_network`` and ``from_held_out``.
        most: the largest coefficient.
    """

    def without(x_t: Points, t: Tensor) -> Points:
        eps_hat = eps_model(x_t, t)
        found = direction(x_t, t, float(diffusion.alpha_bar[int(t[0])]))
        delta = found.delta.flatten(1)
        along = ((eps_hat.double() - found.origin).flatten(1) * delta).sum(1)
        coefficient = (along / delta.square().sum(1).clamp_min(_NOTHING)).clamp(0, most)
        return (eps_hat - (coefficient[:, None] * delta).view(eps_hat.shape)).to(eps_hat.dtype)

    return without


_NOTHING = 1e-30  # A direction of no length has no coefficient; it is multiplied by that length again.
