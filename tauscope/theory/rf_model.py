"""The random-features score model: its sizes, its data, its noise (arXiv:2505.17638).

s_A(x) = A / sqrt(p) sigma(W x / sqrt(d)), W fixed and standard normal, only A is trained, at one diffusion time t. The data are Gaussian
with a covariance Sigma of one or two levels; x_t = exp(-t) x + sqrt(Delta) xi, Delta = 1 - exp(-2t).
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from tauscope.theory.activations import ACTIVATIONS, Activation, GaussianConstants
from tauscope.theory.errors import TheoryError


@dataclass(frozen=True)
class Level:
    """A share of the directions of the data, which have this variance."""

    variance: float | int
    share: float = 1.0


@dataclass(frozen=True)
class RandomFeatures:
    """One model on one kind of data.

    Attributes:
        psi_p, psi_n: features and training points per dimension, p / d and n / d.
        d: dimension of the data.
        t: diffusion time.
        activation: a name in ``ACTIVATIONS``.
        levels: of Sigma; the shares sum to 1.

    Raises:
        TheoryError: if a size rounds to nothing, Sigma is singular, or the shares leave a level without a direction.
    """

    psi_p: float | int
    psi_n: float | int
    d: int
    t: float | int
    activation: str = "tanh"
    levels: tuple[Level, ...] = (Level(1.0),)

    def __post_init__(self) -> None:
        if self.activation not in ACTIVATIONS:
            raise TheoryError(f"activation {self.activation!r} is not known", f"Choose from {', '.join(ACTIVATIONS)}")
        if min(self.p, self.n, self.d) < 1:
            raise TheoryError(f"p = {self.p}, n = {self.n} at d = {self.d}: each must be at least 1", "Raise d, psi_p or psi_n")
        if self.t <= 0:
            raise TheoryError(f"t = {self.t}: without noise there is no score to learn", "Use a positive t, for example 0.01")
        if min(level.variance for level in self.levels) <= 0:
            raise TheoryError("Sigma is singular: a level has no variance", "Give every level a positive variance")
        if abs(sum(level.share for level in self.levels) - 1) > 1e-9 or min(self._counts) < 1:
            raise TheoryError(
                f"shares {[level.share for level in self.levels]} of d = {self.d} directions leave {list(self._counts)} to the levels",
                "Let the shares sum to 1, with a direction for each level",
            )

    @property
    def p(self) -> int:
        """How many features."""
        return round(self.psi_p * self.d)

    @property
    def n(self) -> int:
        """How many training points."""
        return round(self.psi_n * self.d)

    @property
    def noise(self) -> float:
        """Delta, the variance of the noise of x_t."""
        return -math.expm1(-2 * self.t)

    @property
    def decay(self) -> float:
        """exp(-t), what is left of the data in x_t."""
        return math.exp(-self.t)

    @property
    def sigma(self) -> Activation:
        """The activation."""
        return ACTIVATIONS[self.activation]

    @property
    def variances(self) -> Float[ndarray, " dim"]:
        """The diagonal of Sigma."""
        return np.repeat([level.variance for level in self.levels], self._counts)

    @property
    def noised_variances(self) -> Float[ndarray, " dim"]:
        """The diagonal of Sigma_t, the covariance of x_t."""
        return self.decay**2 * self.variances + self.noise

    @property
    def score_energy(self) -> float:
        """(1/d) Tr Sigma_t^-1, the mean square of the true score: what E_score is of a model that says nothing."""
        return float((1 / self.noised_variances).mean())

    @cached_property
    def constants(self) -> GaussianConstants:
        """Those of the Gaussian equivalent.

        Raises:
            TheoryError: if the activation has none.
        """
        return GaussianConstants.of(self.sigma, data=float(self.decay**2 * self.variances.mean()), noise=self.noise)

    @property
    def _counts(self) -> tuple[int, ...]:
        ends = np.round(np.cumsum([level.share for level in self.levels]) * self.d).astype(int)
        return tuple(np.diff(ends, prepend=0).tolist())
