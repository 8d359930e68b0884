"""Hermite coefficients of activations under a Gaussian that is shifted and scaled: what every closed form on random features is made of."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import scipy
from jaxtyping import Float
from numpy import ndarray

from tauscope.theory.errors import TheoryError

NODES = 160  # Of Gauss-Hermite quadrature: E[g tanh g] to 1e-14; beyond about 250 numpy's weights underflow.
_FEW_NODES = 48  # Enough for a scale below 1/2: tanh to 1e-13.
_BLOCK = 1 << 22  # Values of an activation held at a time, 32 MB.


@cache
def gauss_hermite(nodes: int = NODES) -> tuple[Float[ndarray, " node"], Float[ndarray, " node"]]:
    """Nodes and weights of E[f(g)], g standard normal; the weights sum to 1."""
    points, weights = np.polynomial.hermite_e.hermegauss(nodes)
    return points, weights / weights.sum()


def hermite(values: Float[ndarray, "..."], order: int) -> Float[ndarray, "degree ..."]:
    """The probabilists' Hermite polynomials He_k / sqrt(k!), k = 0 to ``order``, which are orthonormal for a standard normal."""
    found = [np.ones_like(values), values]
    for k in range(1, order):
        found.append((values * found[k] - math.sqrt(k) * found[k - 1]) / math.sqrt(k + 1))
    return np.stack(found[: order + 1])


class Activation(ABC):
    """A scalar function sigma, applied to each preactivation."""

    @abstractmethod
    def __call__(self, x: Float[ndarray, "..."]) -> Float[ndarray, "..."]:
        """sigma(x)."""

    @abstractmethod
    def coefficients(self, mean: Float[ndarray, "..."], scale: Float[ndarray, "..."], order: int) -> Float[ndarray, "degree ..."]:
        """c_k = E[sigma(mean + scale g) He_k(g)] / sqrt(k!) for k = 0 to ``order``; mean and scale are broadcast, scale is positive."""

    @abstractmethod
    def second_moment(self, mean: Float[ndarray, "..."], scale: Float[ndarray, "..."]) -> Float[ndarray, "..."]:
        """E[sigma(mean + scale g)^2], which is the sum of all c_k^2."""


@dataclass(frozen=True)
class Smooth(Activation):
    """An activation that quadrature resolves: analytic near the real axis."""

    function: Callable[[ndarray], ndarray]

    def __call__(self, x: Float[ndarray, "..."]) -> Float[ndarray, "..."]:
        return np.asarray(self.function(x))

    def coefficients(self, mean: Float[ndarray, "..."], scale: Float[ndarray, "..."], order: int) -> Float[ndarray, "degree ..."]:
        points, weights = _quadrature(scale)
        return self._expected(mean, scale, points, (hermite(points, order) * weights).T, square=False)

    def second_moment(self, mean: Float[ndarray, "..."], scale: Float[ndarray, "..."]) -> Float[ndarray, "..."]:
        points, weights = _quadrature(scale)
        return np.asarray(self._expected(mean, scale, points, weights[:, None], square=True)[0])

    def _expected(self, mean: ndarray, scale: ndarray, points: ndarray, weights: ndarray, *, square: bool) -> ndarray:
        """Sums over nodes as matrix products, some values at a time."""
        mean, scale = np.broadcast_arrays(np.asarray(mean, float), np.asarray(scale, float))
        flat = np.stack([mean.ravel(), scale.ravel()])
        found = np.empty((weights.shape[1], flat.shape[1]))
        step = max(1, _BLOCK // len(points))
        for start in range(0, flat.shape[1], step):
            m, s = flat[:, start : start + step, None]
            values = self.function(m + s * points)
            found[:, start : start + step] = ((values * values if square else values) @ weights).T
        return found.reshape(-1, *mean.shape)


@dataclass(frozen=True)
class Kinked(Activation):
    """left * min(x, 0) + right * max(x, 0), in closed form: quadrature converges slowly at a kink.

    By Stein's lemma c_k sqrt(k!) = scale^k E[sigma^(k)], and sigma'' = (right - left) delta.
    """

    left: float
    right: float

    def __call__(self, x: Float[ndarray, "..."]) -> Float[ndarray, "..."]:
        return np.asarray(self.left * np.minimum(x, 0) + self.right * np.maximum(x, 0))

    def coefficients(self, mean: Float[ndarray, "..."], scale: Float[ndarray, "..."], order: int) -> Float[ndarray, "degree ..."]:
        z, density, above = self._normal(mean, scale)
        bend = (self.right - self.left) * scale * density
        slope = self.left + (self.right - self.left) * above
        found = [mean * slope + bend, scale * slope]
        polynomials = hermite(np.asarray(-z), max(order - 2, 1))
        found += [bend * polynomials[k - 2] / math.sqrt(k * (k - 1)) for k in range(2, order + 1)]
        return np.stack(found[: order + 1])

    def second_moment(self, mean: Float[ndarray, "..."], scale: Float[ndarray, "..."]) -> Float[ndarray, "..."]:
        _, density, above = self._normal(mean, scale)
        square, product = mean**2 + scale**2, mean * scale * density
        return np.asarray(self.right**2 * (square * above + product) + self.left**2 * (square * (1 - above) - product))

    @staticmethod
    def _normal(mean: ndarray, scale: ndarray) -> tuple[ndarray, ndarray, ndarray]:
        """z = mean / scale, the normal density there, and the chance of a positive preactivation."""
        z = np.asarray(mean / scale, float)
        return z, np.asarray(np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)), np.asarray(scipy.special.ndtr(z))


def _quadrature(scale: ndarray) -> tuple[ndarray, ndarray]:
    return gauss_hermite(_FEW_NODES if np.max(scale) < 0.5 else NODES)


def _erf(x: ndarray) -> ndarray:
    return np.asarray(scipy.special.erf(x))


ACTIVATIONS: dict[str, Activation] = {
    "tanh": Smooth(np.tanh),
    "erf": Smooth(_erf),
    "relu": Kinked(0.0, 1.0),
    "abs": Kinked(-1.0, 1.0),
    "square": Smooth(np.square),
}


@dataclass(frozen=True)
class GaussianConstants:
    """What the Gaussian equivalent of a feature sigma(w x_t / sqrt(d)) keeps of sigma (arXiv:2505.17638; formulas in docs).

    With c^2 = exp(-2t) Tr Sigma / d, Gamma^2 = c^2 + Delta: the feature behaves as a (preactivation of the data) + v (noise of each
    training point) + b (noise that the diffusion adds) + s (noise of its own).

    Attributes:
        mu1: E[g sigma(Gamma g)].
        norm2: |sigma|^2 = E[sigma(Gamma g)^2].
        a, b, v2, s2: mu1 / Gamma, sqrt(Delta) a, v^2 and s^2; norm2 = a^2 c^2 + v2 + b^2 + s2.
    """

    mu1: float
    norm2: float
    a: float
    b: float
    v2: float
    s2: float

    @classmethod
    def of(cls, activation: Activation, *, data: float, noise: float) -> "GaussianConstants":
        """The constants at a signal variance c^2 = ``data`` and a noise variance Delta = ``noise``.

        Raises:
            TheoryError: if E[sigma] is not 0, which the Gaussian equivalent takes for granted, or mu1 is 0.
        """
        c_0, found = cls.centred(activation, data=data, noise=noise)
        if abs(c_0) > 1e-9 * math.sqrt(found.norm2):
            raise TheoryError(
                f"the activation has mean {c_0:.3g}, and the Gaussian equivalent takes it for 0", "Use the exact U, or tanh or erf"
            )
        if abs(found.mu1) < 1e-9 * math.sqrt(found.norm2):
            raise TheoryError("the activation has no first Hermite component: its features say nothing linear of x_t", "Use tanh or erf")
        return found

    @classmethod
    def centred(cls, activation: Activation, *, data: float, noise: float) -> tuple[float, "GaussianConstants"]:
        """E[sigma], and the constants of sigma - E[sigma], which every activation has; a and b may be 0."""
        gamma = math.sqrt(data + noise)
        zero, scale = np.zeros(()), np.array(gamma)
        c_0, mu1 = (float(c) for c in activation.coefficients(zero, scale, 1))
        norm2 = float(activation.second_moment(zero, scale)) - c_0**2
        points, weights = gauss_hermite()
        told = activation.coefficients(math.sqrt(data) * points, np.full_like(points, math.sqrt(noise)), 0)[0]
        a = mu1 / gamma
        v2 = float(weights @ told**2) - c_0**2 - a**2 * data
        return c_0, cls(mu1, norm2, a, math.sqrt(noise) * a, v2, norm2 - a**2 * data - v2 - noise * a**2)
