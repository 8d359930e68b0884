"""How a random-features model is trained, solved: its losses at any training time at once, with no training (arXiv:2505.17638).

Training moves B = A / sqrt(p) by dB/dtau = -(2 Delta / psi_p) B U - (2 sqrt(Delta) / psi_p) V' from B = 0; k steps of rate eta take
tau = k eta / d^2. In the eigenvectors q_i of U, with eigenvalues lambda_i, B(tau) = -(1 / sqrt(Delta)) V' sum_i f_i q_i q_i'.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from tauscope.theory.errors import TheoryError
from tauscope.theory.rf_covariance import Covariances
from tauscope.theory.rf_model import RandomFeatures


@dataclass(frozen=True)
class Losses:
    """Of a model at several training times.

    Attributes:
        train: (1 / d n) sum over training points of E|sqrt(Delta) s_A(x_t) + xi|^2; 1 where nothing was learnt.
        test: the same over the population.
        score: E_score = (1/d) E|s_A(x_t) - grad log P_t(x_t)|^2.
    """

    train: Float[ndarray, " time"]
    test: Float[ndarray, " time"]
    score: Float[ndarray, " time"]

    @property
    def gap(self) -> Float[ndarray, " time"]:
        """(L_test - L_train) / L_test."""
        return (self.test - self.train) / self.test


def losses_of(model: RandomFeatures, covariances: Covariances, b: Float[ndarray, "dim row"]) -> tuple[float, float, float]:
    """Training loss, test loss and E_score of the output weights B = A / sqrt(p), over all noise: quadratic forms, nothing is drawn."""
    noise = model.noise
    train, test = (
        1 + (noise * float(((b @ u) * b).sum()) + 2 * noise**0.5 * float((b * v.T).sum())) / model.d
        for u, v in ((covariances.u, covariances.v), (covariances.u_pop, covariances.v_pop))
    )
    return train, test, (test - 1) / noise + model.score_energy


@dataclass(frozen=True)
class Solved:
    """A model whose training is solved.

    Attributes:
        model: its sizes.
        eigenvalues: of U, ascending, those left out not among them.
        weight: w_i = |q_i' V|^2.
        quadratic: M = (Q' U_pop Q) o (Q' V V' Q).
        linear: (Q' V V_pop' Q)_ii.
    """

    model: RandomFeatures
    eigenvalues: Float[ndarray, " mode"]
    weight: Float[ndarray, " mode"]
    quadratic: Float[ndarray, "mode mode"]
    linear: Float[ndarray, " mode"]

    @classmethod
    def of(cls, model: RandomFeatures, covariances: Covariances) -> "Solved":
        """Diagonalize U."""
        values, q = np.linalg.eigh(covariances.u)
        v, v_pop = q.T @ covariances.v, q.T @ covariances.v_pop
        quadratic = q.T @ covariances.u_pop @ q
        quadratic *= v @ v.T
        return cls(model, values, (v**2).sum(1), quadratic, (v * v_pop).sum(1))

    @property
    def rate(self) -> Float[ndarray, " mode"]:
        """2 Delta lambda_i / psi_p: how fast each mode is learnt, per unit of tau."""
        return 2 * self.model.noise * self.model.d / self.model.p * self.eigenvalues

    def flow(self, tau: Float[ndarray, " time"]) -> Losses:
        """Under gradient flow: f_i = (1 - exp(-rate_i tau)) / lambda_i."""
        return self.losses(self.flow_modes(tau))

    def descent(self, steps: Int[ndarray, " time"], dtau: float | int) -> Losses:
        """Under gradient descent with steps dtau = eta / d^2: f_i = (1 - (1 - rate_i dtau)^k) / lambda_i.

        Raises:
            TheoryError: if the steps are so large that a mode grows without bound.
        """
        return self.losses(self.descent_modes(steps, dtau))

    def descent_modes(self, steps: Int[ndarray, " time"], dtau: float | int) -> Float[ndarray, "time mode"]:
        """The f_i of gradient descent; errors as ``descent``."""
        largest = float(self.rate[-1])
        if largest * dtau >= 2:
            raise TheoryError(
                f"steps of eta / d^2 = {dtau:g} diverge: the largest eigenvalue of U allows less than {2 / largest:.3g}",
                f"Set eta below {2 / largest * self.model.d**2:.3g}",
            )
        k, x = np.asarray(steps, float)[:, None], self.rate * dtau
        below = x < 0.5  # There log1p keeps the digits that a power of a number near 1 loses.
        exponent = k * np.log1p(-np.where(below, x, 0))
        smooth = self._learnt(exponent, np.asarray(steps) * dtau)
        return np.where(below, smooth, (1 - np.power(np.where(below, 0, 1 - x), k)) / np.where(below, 1, self.eigenvalues))

    def flow_modes(self, tau: Float[ndarray, " time"]) -> Float[ndarray, "time mode"]:
        """The f_i of gradient flow."""
        return self._learnt(-np.asarray(tau, float)[:, None] * self.rate, tau)

    def limit(self) -> Losses:
        """After infinitely long training, one time."""
        return self.losses(self.limit_modes())

    def limit_modes(self) -> Float[ndarray, "1 mode"]:
        """The f_i there: 1 / lambda_i."""
        flat = self._flat
        return np.asarray(np.where(flat, 0, 1 / np.where(flat, 1, self.eigenvalues))[None])

    @property
    def _flat(self) -> Bool[ndarray, " mode"]:
        """Modes whose eigenvalue is 0 but for rounding, in which nothing is learnt."""
        return self.eigenvalues <= 1e-14 * self.eigenvalues[-1]

    def _learnt(self, exponent: Float[ndarray, "time mode"], tau: Float[ndarray, " time"]) -> Float[ndarray, "time mode"]:
        """(1 - exp(exponent)) / lambda, with its limit where lambda is 0."""
        limit = 2 * self.model.noise * self.model.d / self.model.p * np.asarray(tau, float)[:, None]
        flat = self._flat
        return np.where(flat, limit, -np.expm1(np.where(flat, 0, exponent)) / np.where(flat, 1, self.eigenvalues))

    def losses(self, f: Float[ndarray, "time mode"]) -> Losses:
        """Those of given f_i."""
        train, test = (1 + part.sum(1) for part in self.contributions(f))
        return Losses(train, test, (test - 1) / self.model.noise + self.model.score_energy)

    def contributions(self, f: Float[ndarray, "time mode"]) -> tuple[Float[ndarray, "time mode"], Float[ndarray, "time mode"]]:
        """What each eigenvalue adds to training and test loss beside 1, both negative where it helps.

        In the test loss a product of two modes is counted half to each.
        """
        d = self.model.d
        return self.weight * f * (self.eigenvalues * f - 2) / d, f * (f @ self.quadratic - 2 * self.linear) / d
