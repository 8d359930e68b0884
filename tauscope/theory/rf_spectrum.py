"""The spectrum of U where d is large: an atom and bulks, each with its mass and the training time at which it is learnt.

The density is that of the Gaussian equivalent (arXiv:2505.17638), in the limit of d, p, n at fixed psi_p = p / d, psi_n = n / d. With
alpha = a^2 exp(-2t), D = 1 + (psi_p / psi_n)(alpha r + v^2 q), m_l = b^2 + l alpha / D and <.> over the levels l of Sigma,

    q = 1 / (s^2 - z + v^2 / D + <m_l / (1 + q psi_p m_l)>),  r = <l q / (1 + q psi_p m_l)>,

and the density at x is Im q(x + i0) / pi (derived here from the resolvent). docs/explanation/random-features.md has the steps.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Complex, Float
from numpy import ndarray

from tauscope.theory.errors import TheoryError
from tauscope.theory.rf_covariance import draw_equivalent, equivalent_covariances
from tauscope.theory.rf_model import RandomFeatures

HEIGHT = 1e-7  # Above the real axis, relative to the distance from the atom.
_FIRST_HEIGHT = 20.0  # In units of the largest eigenvalue: there q is -1/z but for 5 %.
_STAGES = 16
_SPARSE = 64  # One point in so many is followed all the way.
_ITERATIONS = 30
_TOLERANCE = 1e-7  # Of the last step: the next one, not taken, would be of its square.
_ROUNDING = 1e-8  # Of the atom's pole: below there is none but rounding.
_EDGE_STEPS = 30
_NODES = 2001  # Of a bulk's integral; its square-root edges are resolved by nodes that crowd there.
_COARSE = 1500
_NEAREST = 1e-10  # To the atom, relative to it, where bulks are looked for.


@dataclass(frozen=True)
class Bulk:
    """An interval that eigenvalues of U fill.

    Attributes:
        low, high: its ends, as eigenvalues.
        mass: its share of the p eigenvalues; times psi_p it is a count of directions in units of d.
        median: half of its mass lies below.
    """

    low: float
    high: float
    mass: float
    median: float


@dataclass(frozen=True)
class Spectrum:
    """The limiting spectrum.

    Attributes:
        model: its sizes; d does not enter.
        atom: s^2, where the features' own noise puts all directions that no data reach.
        atom_mass: their share, 1 - (1 + psi_n) / psi_p, or 0.
        bulks: from the smallest eigenvalues to the largest.
    """

    model: RandomFeatures
    atom: float
    atom_mass: float
    bulks: tuple[Bulk, ...]

    @classmethod
    def of(cls, model: RandomFeatures) -> "Spectrum":
        """Find the bulks.

        Raises:
            TheoryError: if psi_p < 1 + psi_n, so that there is no atom and the smallest eigenvalues are no longer told apart; or
                the activation has no Gaussian equivalent.
        """
        if model.psi_p < 1 + model.psi_n:
            raise TheoryError(
                f"psi_p = {model.psi_p:g} is below 1 + psi_n = {1 + model.psi_n:g}: training points have no direction of their own",
                "Raise psi_p or lower psi_n",
            )
        ends = _support(model)
        bulks = tuple(_bulk(model, low, high) for low, high in ends)
        return cls(model, model.constants.s2, 1 - (1 + model.psi_n) / model.psi_p, bulks)

    @property
    def continuous_mass(self) -> float:
        """The share of eigenvalues in bulks, (1 + psi_n) / psi_p where all were found."""
        return sum(bulk.mass for bulk in self.bulks)

    def timescale(self, eigenvalue: float) -> float:
        """tau at which a mode's distance to its end has fallen to 1/e: psi_p / (2 Delta lambda)."""
        return self.model.psi_p / (2 * self.model.noise * eigenvalue)

    def names(self) -> tuple[str, ...]:
        """What the directions of each bulk hold, see ``bulk_names``."""
        return bulk_names([bulk.mass for bulk in self.bulks[::-1]], self.model.psi_p, self.model.psi_n)[::-1]

    def masses(self, edges: Float[ndarray, " edge"]) -> Float[ndarray, " bin"]:
        """The continuous mass between each two edges."""
        found = np.zeros(len(edges) - 1)
        for bulk in self.bulks:
            above, cumulative = _cumulative(self.model, bulk.low - self.atom, bulk.high - self.atom)
            found += np.diff(np.interp(edges, self.atom + above, cumulative))
        return found

    def density(self, x: Float[ndarray, " point"]) -> Float[ndarray, " point"]:
        """The continuous density; 0 outside of the bulks."""
        inside = np.zeros(len(x), dtype=bool)
        for bulk in self.bulks:
            inside |= (x > bulk.low) & (x < bulk.high)
        found = np.zeros(len(x))
        found[inside] = _continuous(self.model, x[inside] - self.atom)
        return found


@dataclass(frozen=True)
class Histogram:
    """Sampled eigenvalues on logarithmic bins beside the theory; no eigenvalue is left out.

    Attributes:
        edges: of the bins.
        sampled: each bin's share of all p eigenvalues, the atom's not among them.
        predicted: the same by theory.
        count: eigenvalues in the bins, over all draws.
    """

    edges: Float[ndarray, " edge"]
    sampled: Float[ndarray, " bin"]
    predicted: Float[ndarray, " bin"]
    count: int

    @classmethod
    def of(
        cls,
        model: RandomFeatures,
        values: Float[ndarray, " value"],
        edges: Float[ndarray, " edge"],
        predicted: Float[ndarray, " bin"],
        *,
        draws: int,
    ) -> "Histogram":
        """Count the eigenvalues of so many draws.

        Raises:
            TheoryError: if the edges leave one out.
        """
        counts = np.histogram(values, edges)[0]
        if counts.sum() != len(values):
            raise TheoryError(f"{len(values) - counts.sum()} eigenvalues lie outside of the bins", "Widen the edges")
        return cls(edges, counts / (draws * model.p), predicted, len(values))

    @property
    def l1(self) -> float:
        """Sum of |sampled - predicted| over the bins, as a share of the continuous mass."""
        return float(np.abs(self.sampled - self.predicted).sum() / self.sampled.sum())


def bulk_names(masses: Sequence[float], psi_p: float | int, psi_n: float | int) -> tuple[str, ...]:
    """What the directions of each bulk hold, told by counting them from the largest eigenvalue down.

    For n > d the d largest follow the population, n - d the training points, and the d smallest are those of the first layer that see
    hardly more than the diffusion's noise; for n < d the first n hold the training points, d - n the noise alone, n the rest.

    Args:
        masses: of the bulks, those of the largest eigenvalues first.
    """
    kinds = (("population", 1.0), ("training points", psi_n - 1), ("noise", 1.0))
    if psi_n < 1:
        kinds = (("population and training points", psi_n), ("noise", 1 - psi_n), ("training points", psi_n))
    ends, tops = np.cumsum([share for _, share in kinds]), np.cumsum(masses) * psi_p
    return tuple(
        " and ".join(
            name for (name, share), end in zip(kinds, ends, strict=True) if min(top, end) - max(top - mass * psi_p, end - share) > 1e-3
        )
        for mass, top in zip(masses, tops, strict=True)
    )


def stieltjes(
    model: RandomFeatures, above: Float[ndarray, " point"], *, height: float = HEIGHT
) -> tuple[Complex[ndarray, " point"], Complex[ndarray, " point"]]:
    """q and r at z = s^2 + above (1 + i height), by Newton's method on all points at once.

    Every so many points are followed from far off the axis, where the solution is known, down to it; between them the others begin.
    Where that leads off the branch with Im q > 0 and Im r > 0, they are followed down as well.

    Args:
        above: the distance from the atom, so that none of its digits are lost close to it.

    Raises:
        TheoryError: if a point does not settle on the branch.
    """
    order = np.sort(above)
    anchors = np.unique(np.append(order[::_SPARSE], order[-1:]))
    anchored = _followed(model, anchors, height)
    guesses = (np.interp(np.log(above), np.log(anchors), values) for values in anchored)
    q, r, settled = _newton(model, above * (1 + 1j * height), *guesses)
    lost = ~(settled & (q.imag > 0) & (r.imag > 0))
    q[lost], r[lost] = _followed(model, above[lost], height)
    return q, r


def _followed(model: RandomFeatures, above: Float[ndarray, " point"], height: float) -> tuple[ndarray, ndarray]:
    """The same at each point by itself: from -1/z far off the axis, the height falling by a factor a stage."""
    first, last = _FIRST_HEIGHT * max(1.0, largest_eigenvalue(model)), height * above
    start = model.constants.s2 + above + 1j * first
    q, r = -1 / start, -sum(level.variance * level.share for level in model.levels) / start
    settled = np.ones(len(above), dtype=bool)
    for stage in range(_STAGES + 1):
        q, r, settled = _newton(model, above + 1j * first * (last / first) ** (stage / _STAGES), q, r)
    lost = ~(settled & (q.imag > 0))
    if lost.any():
        raise TheoryError(f"the saddle point was lost at {int(lost.sum())} of {len(above)} points", "Report the sizes; this is a defect")
    return q, r


def sampled_eigenvalues(model: RandomFeatures, rng: np.random.Generator) -> Float[ndarray, " value"]:
    """Of U of the Gaussian equivalent at the model's own d, in the n + d directions that the data reach: all others are s^2 exactly."""
    return np.linalg.eigvalsh(equivalent_covariances(model, draw_equivalent(model, rng)).u)


def _newton(model: RandomFeatures, zeta: ndarray, q: ndarray, r: ndarray) -> tuple[ndarray, ndarray, Bool[ndarray, " point"]]:
    """Newton's method at each zeta = z - s^2 from a neighbour's solution; points that have settled are left alone."""
    q, r, active = q.copy(), r.copy(), np.arange(len(zeta))
    for _ in range(_ITERATIONS):
        dq, dr = _step(model, zeta[active], q[active], r[active])
        q[active] += dq
        r[active] += dr
        moved = (np.abs(dq) > _TOLERANCE * np.abs(q[active])) | (np.abs(dr) > _TOLERANCE * np.abs(r[active]))
        active = active[moved]
        if not len(active):
            break
    settled = np.ones(len(zeta), dtype=bool)
    settled[active] = False
    return q, r, settled


def _step(model: RandomFeatures, zeta: ndarray, q: ndarray, r: ndarray) -> tuple[ndarray, ndarray]:
    """One step of Newton's method for q (v^2/D + <m/T> - zeta) = 1 and r = <l q/T>, T = 1 + q psi_p m."""
    c, psi, ratio = model.constants, model.psi_p, model.psi_p / model.psi_n
    alpha = (c.a * model.decay) ** 2
    inner = 1 + ratio * (alpha * r + c.v2 * q)
    inner_q, inner_r = ratio * c.v2, ratio * alpha
    mean_1, mean_1_q, mean_1_r, mean_2, mean_2_q, mean_2_r = np.zeros((6, len(q)), dtype=complex)
    for level in model.levels:
        m = c.b**2 + level.variance * alpha / inner
        slope = -level.variance * alpha / inner**2
        m_q, m_r, t = slope * inner_q, slope * inner_r, 1 + q * psi * m
        mean_1 += level.share * m / t
        mean_1_q += level.share * (m_q - psi * m**2) / t**2
        mean_1_r += level.share * m_r / t**2
        mean_2 += level.share * level.variance * q / t
        mean_2_q += level.share * level.variance * (1 - q**2 * psi * m_q) / t**2
        mean_2_r -= level.share * level.variance * q**2 * psi * m_r / t**2
    bracket = c.v2 / inner + mean_1 - zeta
    f_1, f_2 = q * bracket - 1, r - mean_2
    f_1q = bracket + q * (mean_1_q - c.v2 * inner_q / inner**2)
    f_1r = q * (mean_1_r - c.v2 * inner_r / inner**2)
    f_2q, f_2r = -mean_2_q, 1 - mean_2_r
    determinant = f_1q * f_2r - f_1r * f_2q
    return (f_1r * f_2 - f_2r * f_1) / determinant, (f_2q * f_1 - f_1q * f_2) / determinant


def _continuous(model: RandomFeatures, above: Float[ndarray, " point"], *, height: float = HEIGHT) -> Float[ndarray, " point"]:
    """The density without the atom, whose pole is known and taken off; nothing where only rounding is left of it."""
    q, _ = stieltjes(model, above, height=height)
    pole = -max(0.0, 1 - (1 + model.psi_n) / model.psi_p) / (above * (1 + 1j * height))
    density = (q - pole).imag / math.pi
    return np.where(density > _ROUNDING * np.abs(pole), density, 0)


def largest_eigenvalue(model: RandomFeatures) -> float:
    """A bound on the eigenvalues: the norms of the parts of U, each with the edge of its random matrices."""
    c, psi, ratio = model.constants, model.psi_p, model.psi_p / model.psi_n
    w = (1 + math.sqrt(psi)) ** 2
    top = max(level.variance for level in model.levels)
    g = model.decay * abs(c.a) * math.sqrt(w * top) * (1 + 1 / math.sqrt(model.psi_n)) + math.sqrt(c.v2) * (1 + math.sqrt(ratio))
    return g**2 + c.b**2 * w + c.s2


def _support(model: RandomFeatures) -> list[tuple[float, float]]:
    """The ends of every bulk above the atom: a walk in the logarithm of the distance, then bisection between inside and outside."""
    above = np.geomspace(_NEAREST * model.constants.s2, 1.1 * largest_eigenvalue(model), _COARSE)
    inside = _is_inside(model, above)
    inside[0] = False  # What reaches down to the atom ends there.
    turns = np.flatnonzero(np.diff(inside.astype(int)))
    left, right, was = above[turns], above[turns + 1], inside[turns]
    for _ in range(_EDGE_STEPS):
        middle = np.sqrt(left * right)
        same = _is_inside(model, middle) == was
        left, right = np.where(same, middle, left), np.where(same, right, middle)
    ends = np.sqrt(left * right).tolist()
    return list(zip(ends[::2], ends[1::2], strict=True))


def _is_inside(model: RandomFeatures, above: Float[ndarray, " point"]) -> Bool[ndarray, " point"]:
    """Inside a bulk the density hardly depends on the height off the axis, outside it is in proportion to it, at an edge to its root."""
    low, high = (_continuous(model, above, height=height) for height in (HEIGHT, 2 * HEIGHT))
    return (low > 0) & (high < math.sqrt(2) * low)


def _bulk(model: RandomFeatures, low: float, high: float) -> Bulk:
    above, cumulative = _cumulative(model, low, high)
    s2 = model.constants.s2
    return Bulk(s2 + low, s2 + high, float(cumulative[-1]), s2 + float(np.interp(cumulative[-1] / 2, cumulative, above)))


def _cumulative(model: RandomFeatures, low: float, high: float) -> tuple[Float[ndarray, " node"], Float[ndarray, " node"]]:
    """The mass from ``low`` up to each of many nodes, evenly spaced in the angle whose cosine runs through the distance's logarithm."""
    angle = np.linspace(0, math.pi, _NODES)
    half = 0.5 * math.log(high / low)
    above = math.sqrt(low * high) * np.exp(-half * np.cos(angle))
    density = np.zeros(_NODES)
    density[1:-1] = _continuous(model, above[1:-1])
    values = density * above * half * np.sin(angle)
    return above, np.concatenate([[0.0], np.cumsum((values[1:] + values[:-1]) / 2) * (angle[1] - angle[0])])
