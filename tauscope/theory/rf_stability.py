"""The largest learning rate at which gradient descent on random features converges, before anything is drawn.

A step multiplies the error along an eigenvector of U by 1 - 2 Delta lambda eta / (psi_p d^2), which grows without bound where eta is at
least psi_p d^2 / (Delta lambda): 2 / lambda_max in units of the loss's curvature. lambda_max is known where d is large. On the real axis
above the spectrum q < 0 in the equations of ``rf_spectrum``, which then give z as a function of q,

    z(q) = s^2 - 1/q + v^2 / D + <m_l / (1 + q psi_p m_l)>,

with D the largest solution of D = 1 + (psi_p / psi_n)(alpha r + v^2 q). z falls as q leaves 0, and its least value is the spectrum's
upper edge (Silverstein and Choi 1995). An activation whose mean mu_0 is not 0 adds p mu_0^2 in one direction u; u' (U - z)^-1 u is q(z)
as for any direction that the rest knows nothing of, so that eigenvalue is z(-1 / (p mu_0^2)) where this lies above the edge
(Benaych-Georges and Nadakuditi 2011, arXiv:0910.2120).
"""

import math

import numpy as np

from tauscope.theory.activations import GaussianConstants
from tauscope.theory.rf_model import RandomFeatures

_NODES = 4000
_ITERATIONS = 40
_QUANTILE = 3.3  # Of Tracy and Widom's law for real matrices: one in a thousand lies above.


def largest_stable_eta(model: RandomFeatures) -> float:
    """psi_p d^2 / (Delta lambda), lambda what hardly any draw's largest eigenvalue exceeds, see ``eigenvalue_bound``."""
    return model.p * model.d / (model.noise * eigenvalue_bound(model))


def rounded_down(rate: float) -> float:
    """To three digits, so that the rate that is named is one that is taken."""
    unit = 10.0 ** (math.floor(math.log10(rate)) - 2)
    return math.floor(rate / unit) * unit


def eigenvalue_bound(model: RandomFeatures) -> float:
    """The limit of the largest eigenvalue of U with room for its spread at this d.

    The largest eigenvalue of a Wishart matrix of a x b normal numbers spreads by (a^-1/2 + b^-1/2)^(1/3) / (a^1/2 + b^1/2) of itself
    (Johnstone 2001), and U is made of two, of the first layer and of the training points: room is left for 3.3 times the sum of both,
    and k times that for an activation that grows as a power k > 1.
    """
    room = _QUANTILE * (_spread(model.p, model.d) + _spread(model.n, model.d)) * _growth(model)
    return largest_eigenvalue_limit(model) * (1 + room)


def largest_eigenvalue_limit(model: RandomFeatures) -> float:
    """The largest eigenvalue of U as d grows at fixed psi_p and psi_n: the upper edge of its spectrum, or an eigenvalue above it."""
    mean, c = GaussianConstants.centred(model.sigma, data=float(model.decay**2 * model.variances.mean()), noise=model.noise)
    psi, ratio, alpha = model.p / model.d, model.p / model.n, (c.a * model.decay) ** 2
    alone = model.p * mean**2
    # From where 1/q is far above any eigenvalue to where it is far below the edge, which is at least the mean of all eigenvalues.
    trace = alpha * float(model.variances.mean()) + c.v2 + c.b**2 + c.s2
    q = -np.geomspace(1e-2 / (model.p * trace + alone), 1e2 / trace, _NODES)
    d, r = np.ones_like(q), np.zeros_like(q)
    with np.errstate(all="ignore"):  # Past the edge there is no solution; what is found there is not looked at.
        for _ in range(_ITERATIONS):  # Newton's method on a convex function from the right of its largest zero: it only descends.
            r, slope = np.zeros_like(q), np.zeros_like(q)
            for level in model.levels:
                free, held = 1 + q * psi * c.b**2, q * psi * level.variance * alpha
                r += level.share * level.variance * q * d / (free * d + held)
                slope += level.share * level.variance * q * held / (free * d + held) ** 2
            d = d - (d - 1 - ratio * (alpha * r + c.v2 * q)) / (1 - ratio * alpha * slope)
        z, known = c.s2 - 1 / q + c.v2 / d, (d > 0) & (np.abs(d - 1 - ratio * (alpha * r + c.v2 * q)) < 1e-9)
        for level in model.levels:
            m = c.b**2 + level.variance * alpha / d
            known &= 1 + q * psi * m > 0
            z = z + level.share * m / (1 + q * psi * m)
    end = len(q) if known.all() else int(np.argmin(known))
    edge = int(np.argmin(z[:end]))
    if alone * -q[edge] <= 1:
        return float(z[edge])
    return float(np.interp(-math.log(alone), np.log(-q[: edge + 1]), z[: edge + 1]))


def _spread(rows: int, columns: int) -> float:
    return float((rows**-0.5 + columns**-0.5) ** (1 / 3) / (rows**0.5 + columns**0.5))


def _growth(model: RandomFeatures) -> float:
    far, farther = (abs(float(model.sigma(np.array(x)))) for x in (1e3, 2e3))
    return max(1.0, math.log2(farther / far))
