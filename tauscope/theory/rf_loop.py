"""A random-features model trained step by step, by gradient descent or Adam: what the closed form is held against."""

import math
from abc import ABC, abstractmethod

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from tauscope.theory.rf_covariance import Covariances, Draw
from tauscope.theory.rf_model import RandomFeatures

Weights = Float[ndarray, "dim row"]
_DECAY_1, _DECAY_2, _SMALL = 0.9, 0.999, 1e-8  # Adam's own (Kingma and Ba 2015, arXiv:1412.6980).


class Gradient(ABC):
    """The gradient of the training loss by B = A / sqrt(p).

    Attributes:
        rows: columns of B: the features, or those that were not left out.
    """

    rows: int

    @abstractmethod
    def __call__(self, b: Weights) -> Weights:
        """At B."""

    @property
    def rng(self) -> np.random.Generator | None:
        """Where its noise comes from, if it draws any."""
        return None


class ExactGradient(Gradient):
    """Over all noise: 2 (Delta B U + sqrt(Delta) V') / d."""

    def __init__(self, model: RandomFeatures, covariances: Covariances) -> None:
        self.rows = len(covariances.u)
        self._u = (2 * model.noise / model.d) * covariances.u
        self._v = (2 * math.sqrt(model.noise) / model.d) * covariances.v.T

    def __call__(self, b: Weights) -> Weights:
        return b @ self._u + self._v


class SampledGradient(Gradient):
    """Over fresh noise of every training point at each step, as networks are trained.

    Args:
        noise_draws: how many a point and step.
    """

    def __init__(self, model: RandomFeatures, draw: Draw, rng: np.random.Generator, *, noise_draws: int = 1) -> None:
        self.rows = len(draw.w)
        self._model, self._rng, self._sigma = model, rng, model.sigma
        self._points = model.decay * np.repeat(draw.x.T, noise_draws, axis=0)
        self._first_layer = draw.w.T / math.sqrt(model.d)

    @property
    def rng(self) -> np.random.Generator:
        """Of the noise."""
        return self._rng

    def __call__(self, b: Weights) -> Weights:
        root = math.sqrt(self._model.noise)
        xi = self._rng.standard_normal(self._points.shape)
        z = self._sigma((self._points + root * xi) @ self._first_layer)
        return (2 * root / self._points.size) * (root * (z @ b.T) + xi).T @ z


class Loop:
    """B from 0 on; one step moves A = sqrt(p) B by the rate eta = dtau d^2.

    Args:
        model: its sizes.
        gradient: of the training loss.
        eta: the learning rate of A.
    """

    def __init__(self, model: RandomFeatures, gradient: Gradient, *, eta: float | int) -> None:
        self.b: Weights = np.zeros((model.d, gradient.rows))
        self.steps = 0
        self.gradient = gradient
        self._eta, self._p = eta, model.p

    def advance(self) -> None:
        """One training step."""
        self.steps += 1
        self._move(self.gradient(self.b))

    @property
    def arrays(self) -> dict[str, Weights]:
        """All that the next step depends on beside the noise, to be kept and written into."""
        return {"b": self.b}

    def _move(self, gradient: Weights) -> None:
        """Gradient descent: the chain rule from B to A and back gives 1/p."""
        self.b -= (self._eta / self._p) * gradient


class AdamLoop(Loop):
    """The same with Adam."""

    def __init__(self, model: RandomFeatures, gradient: Gradient, *, eta: float | int) -> None:
        super().__init__(model, gradient, eta=eta)
        self._first, self._second = np.zeros_like(self.b), np.zeros_like(self.b)

    @property
    def arrays(self) -> dict[str, Weights]:
        return {"b": self.b, "first": self._first, "second": self._second}

    def _move(self, gradient: Weights) -> None:
        of_a = gradient / math.sqrt(self._p)
        self._first += (1 - _DECAY_1) * (of_a - self._first)
        self._second += (1 - _DECAY_2) * (of_a**2 - self._second)
        first = self._first / (1 - _DECAY_1**self.steps)
        second = self._second / (1 - _DECAY_2**self.steps)
        self.b -= (self._eta / math.sqrt(self._p)) * first / (np.sqrt(second) + _SMALL)
