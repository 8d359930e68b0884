"""How the weights move, and which average of them is measured."""

from typing import Annotated, Literal

from pydantic import Field

from tauscope.specs.model import SpecModel
from tauscope.specs.shown import shown


class AdamSpec(SpecModel):
    """Adam (Kingma and Ba 2015, arXiv:1412.6980)."""

    name: Literal["adam"] = "adam"
    lr: float = shown(1e-4, "Learning rate", "learning rate", gt=0)
    betas: tuple[float, float] = shown((0.9, 0.999), "Moment decay", "decay of the two moments", advanced=True)


class SgdSpec(SpecModel):
    """Stochastic gradient descent with heavy-ball momentum."""

    name: Literal["sgd"] = "sgd"
    lr: float = shown(1e-2, "Learning rate", "learning rate", gt=0)
    momentum: float = shown(0.95, "Momentum", "momentum", ge=0, lt=1)


Optimizer = Annotated[AdamSpec | SgdSpec, Field(discriminator="name")]


class EmaSpec(SpecModel):
    """Exponential moving average of the weights, used for every measurement; decay_k = min(decay, (1+k)/(10+k))."""

    decay: float = shown(0.98, "Decay", "decay per training step once warmed up", gt=0, lt=1)
