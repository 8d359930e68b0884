"""The two matrices that decide how a random-features model is trained: U = E[z z'] and V = E[z xi'], z = sigma(W x_t / sqrt(d)).

Exactly, by an expansion in Hermite polynomials, or of the Gaussian equivalent, for which p may be as large as one likes. Both are
derived here for the model of arXiv:2505.17638; docs/explanation/random-features.md has the steps.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from tauscope.theory.activations import NODES
from tauscope.theory.errors import TheoryError
from tauscope.theory.rf_model import RandomFeatures

ORDER = 8  # Of the Hermite expansion over noise: 4e-11 off at d = 50, t = 0.1 with tanh.
_POPULATION_ORDER = 40  # Over all of x_t coefficients fall slowly, and each costs one elementwise product.
_BLOCK = 1 << 23  # Coefficients held at a time, 64 MB.
_MATRICES = 8  # Of U's size, held at once where a run is solved.


@dataclass(frozen=True)
class Draw:
    """One draw of the randomness.

    Attributes:
        w: the first layer, or the part of it that matters (see ``draw_equivalent``).
        x: the training points.
        omega: the noise that the Gaussian equivalent gives each training point; ``None`` where U is exact.
    """

    w: Float[ndarray, "row dim"]
    x: Float[ndarray, "dim point"]
    omega: Float[ndarray, "row point"] | None = None


@dataclass(frozen=True)
class Covariances:
    """U and V over the training points and over the population.

    Attributes:
        u, u_pop: E[z z'].
        v, v_pop: E[z xi'].
        alone: how many features' directions were left out, all of which have the same eigenvalue of U and no part in V.
        error: a bound on what the Hermite expansion leaves out of any entry of U; 0 for the Gaussian equivalent.
    """

    u: Float[ndarray, "row row"]
    v: Float[ndarray, "row dim"]
    u_pop: Float[ndarray, "row row"]
    v_pop: Float[ndarray, "row dim"]
    alone: int = 0
    error: float = 0.0


def needed_bytes(model: RandomFeatures, *, exact: bool) -> int:
    """The memory that solving one draw takes, in bytes."""
    rows = model.p if exact else min(model.p, model.n + model.d)
    return 8 * (_MATRICES * rows**2 + rows * (model.n + 3 * model.d) + (NODES * _BLOCK // 8 if exact else 0))


def draw_exact(model: RandomFeatures, rng: np.random.Generator) -> Draw:
    """First layer and training points."""
    return Draw(rng.standard_normal((model.p, model.d)), _points(model, rng))


def draw_equivalent(model: RandomFeatures, rng: np.random.Generator, *, whole: bool = False) -> Draw:
    """First layer, training points and their noise; of p > n + d features only the n + d directions that the data reach.

    [W | Omega] = Q R with Q orthonormal; every covariance is a function of R beside a multiple of the identity, so only R is
    drawn, whose law is known (Bartlett 1933): chi on the diagonal, standard normal above.

    Args:
        whole: draw all p rows.
    """
    x, reach = _points(model, rng), model.n + model.d
    rows = rng.standard_normal((model.p, reach)) if whole or model.p < reach else _bartlett(model.p, reach, rng)
    return Draw(rows[:, : model.d], x, rows[:, model.d :])


def _points(model: RandomFeatures, rng: np.random.Generator) -> Float[ndarray, "dim point"]:
    return np.sqrt(model.variances)[:, None] * rng.standard_normal((model.d, model.n))


def _bartlett(p: int, columns: int, rng: np.random.Generator) -> Float[ndarray, "column column"]:
    """R of the QR decomposition of a standard normal p x columns matrix."""
    upper = np.triu(rng.standard_normal((columns, columns)), 1)
    upper[np.diag_indices(columns)] = np.sqrt(rng.chisquare(p - np.arange(columns)))
    return upper


def equivalent_covariances(model: RandomFeatures, draw: Draw) -> Covariances:
    """Those of the Gaussian equivalent.

    U = G G' / n + b^2 W W' / d + s^2 I with G = exp(-t) a W X / sqrt(d) + v Omega;
    U_pop = a^2 W Sigma_t W' / d + (|sigma|^2 - mu1^2) I; V = V_pop = sqrt(Delta) a W / sqrt(d).

    Raises:
        TheoryError: if the activation has no Gaussian equivalent.
    """
    assert draw.omega is not None
    c, w, root_d = model.constants, draw.w, math.sqrt(model.d)
    g = (model.decay * c.a / root_d) * (w @ draw.x) + math.sqrt(c.v2) * draw.omega
    u = g @ g.T / model.n + (c.b**2 / model.d) * (w @ w.T)
    u_pop = (c.a**2 / model.d) * (w * model.noised_variances) @ w.T
    u[np.diag_indices(len(u))] += c.s2
    u_pop[np.diag_indices(len(u))] += c.norm2 - c.mu1**2
    v = (math.sqrt(model.noise) * c.a / root_d) * w
    return Covariances(u, v, u_pop, v, alone=model.p - len(w))


def exact_covariances(model: RandomFeatures, draw: Draw, *, order: int = ORDER) -> Covariances:
    """U_ij = sum_k rho_ij^k mean over points of c_k(i) c_k(j), the diagonal by quadrature; V_i = mean of c_1(i) w_i / |w_i|.

    rho_ij is the cosine between rows of W, and c_k(i) the Hermite coefficients of sigma under row i's preactivation of a point,
    whose noise has the standard deviation sqrt(Delta / d) |w_i|. The population has one such coefficient a row, and correlations
    of x_t instead of xi's.

    Args:
        order: terms up to rho^order are kept.

    Raises:
        TheoryError: if two rows of W are parallel, as all are at d = 1.
    """
    norms = np.linalg.norm(draw.w, axis=1)
    direction = draw.w / norms[:, None]
    scale = math.sqrt(model.noise / model.d) * norms
    means = (model.decay / math.sqrt(model.d)) * (draw.w @ draw.x)
    u, c_1, error = _expanded(model, means, scale, direction @ direction.T, order)
    stretched = draw.w * np.sqrt(model.noised_variances)
    spread = np.linalg.norm(stretched, axis=1)
    stretched /= spread[:, None]
    spread /= math.sqrt(model.d)
    u_pop, a_1, _ = _expanded(model, np.zeros((len(spread), 1)), spread, stretched @ stretched.T, _POPULATION_ORDER)
    v_pop = (a_1 / spread * math.sqrt(model.noise / model.d))[:, None] * draw.w
    return Covariances(u, c_1[:, None] * direction, u_pop, v_pop, error=error)


def _expanded(
    model: RandomFeatures, means: Float[ndarray, "row point"], scale: Float[ndarray, " row"], rho: Float[ndarray, "row row"], order: int
) -> tuple[Float[ndarray, "row row"], Float[ndarray, " row"], float]:
    """The mean over points of E[z z'], that of c_1, and a bound on the error off the diagonal."""
    rows, points = means.shape
    most = float(np.abs(rho - np.eye(rows)).max())
    if most > 1 - 1e-9:
        raise TheoryError(f"d = {model.d} is too small: two features look in the same direction", "Raise d")
    u, c_1, diagonal, kept = np.zeros((rows, rows)), np.zeros(rows), np.zeros(rows), np.zeros(rows)
    step = max(1, _BLOCK // ((order + 1) * rows))
    for start in range(0, points, step):
        part = means[:, start : start + step]
        c = model.sigma.coefficients(part, scale[:, None], order)
        power = np.ones_like(rho)
        for k in range(order + 1):
            u += power * (c[k] @ c[k].T)
            power *= rho
        c_1 += c[1].sum(1)
        kept += (c**2).sum((0, 2))
        diagonal += model.sigma.second_moment(part, scale[:, None]).sum(1)
    u[np.diag_indices(rows)] = diagonal
    # By Cauchy-Schwarz over the degrees left out: |sum rho^k c_k c_k| <= |rho|^(K+1) times what is left of E[sigma^2].
    error = most ** (order + 1) * float(np.clip(diagonal - kept, 0, None).max()) / points
    return u / points, c_1 / points, error
