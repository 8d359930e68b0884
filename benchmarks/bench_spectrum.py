"""The saddle point by Newton's method on all points at once, against Levenberg-Marquardt point by point, on the same points in one run.

psi_p = 64, psi_n = 8, t = 0.01, tanh: 4,000 points, evenly spaced in the logarithm of the distance from the atom, across all bulks and
gaps, at a height of 1e-7. Point by point in two ways: a walk from the largest eigenvalue down, each point begun at its neighbour's
solution, which is the fastest but may leave the branch where a bulk begins; and each point followed from far off the axis, as
one must who knows no neighbour (every fortieth is timed). Seconds of CPU on one thread; ours include the way down from off the axis.
"""

import time

import numpy as np
from scipy.optimize import root

from tauscope.theory.rf_model import RandomFeatures
from tauscope.theory.rf_spectrum import HEIGHT, Spectrum, stieltjes

MODEL = RandomFeatures(psi_p=64, psi_n=8, d=100, t=0.01)
POINTS, STAGES, EVERY = 4000, 16, 40


def residual(values: np.ndarray, zeta: complex) -> np.ndarray:
    """The two equations at zeta = z - s^2, for one level of variance 1."""
    c, ratio = MODEL.constants, MODEL.psi_p / MODEL.psi_n
    q, r = values[0] + 1j * values[1], values[2] + 1j * values[3]
    inner = 1 + ratio * ((c.a * MODEL.decay) ** 2 * r + c.v2 * q)
    m = c.b**2 + (c.a * MODEL.decay) ** 2 / inner
    t = 1 + q * MODEL.psi_p * m
    f_1, f_2 = q * (c.v2 / inner + m / t - zeta) - 1, r - q / t
    return np.array([f_1.real, f_1.imag, f_2.real, f_2.imag])


def solve(zeta: complex, begin: np.ndarray) -> np.ndarray:
    found: np.ndarray = root(residual, begin, args=(zeta,), method="lm", options={"xtol": 1e-12, "ftol": 1e-12}).x
    return found


def walk(above: np.ndarray, begin: np.ndarray) -> np.ndarray:
    found = []
    for x in above[::-1]:
        begin = solve(x * (1 + 1j * HEIGHT), begin)
        found.append(begin)
    return np.array(found[::-1])


def follow(x: float, first: float) -> np.ndarray:
    start = -1 / complex(x, first)
    values = np.array([start.real, start.imag, start.real, start.imag])
    for stage in range(STAGES + 1):
        values = solve(complex(x, first * (HEIGHT * x / first) ** (stage / STAGES)), values)
    return values


def wrong(found: np.ndarray, exact: np.ndarray) -> float:
    """The share of points whose density is off by more than one part in a million."""
    return float((np.abs(found[:, 1] / exact[:, 1] - 1) > 1e-6).mean())


def main() -> None:
    spectrum = Spectrum.of(MODEL)
    above = np.geomspace(0.5 * (spectrum.bulks[0].low - spectrum.atom), 1.2 * spectrum.bulks[-1].high, POINTS)
    times = []
    for _ in range(5):
        start = time.process_time()
        q, r = stieltjes(MODEL, above)
        times.append(time.process_time() - start)
    ours = min(times) / POINTS
    exact = np.stack([q.real, q.imag, r.real, r.imag], axis=1)
    left = max(float(np.abs(residual(v, x * (1 + 1j * HEIGHT))).max()) for v, x in zip(exact, above, strict=True))
    print(f"Newton on {POINTS:,} points at once: {1e6 * ours:.2f} us a point; the equations are off by at most {left:.0e}")
    start = time.process_time()
    walked = walk(above, exact[-1])
    a_point = (time.process_time() - start) / POINTS
    print(
        f"Levenberg-Marquardt, from the neighbour: {1e6 * a_point:,.0f} us a point, {a_point / ours:,.0f} times as long; "
        f"wrong at {100 * wrong(walked, exact):.0f} % of the points"
    )
    start = time.process_time()
    followed = np.array([follow(float(x), 20 * spectrum.bulks[-1].high) for x in above[::EVERY]])
    a_point = (time.process_time() - start) / len(followed)
    print(
        f"Levenberg-Marquardt, from off the axis: {1e6 * a_point:,.0f} us a point, {a_point / ours:,.0f} times as long; "
        f"wrong at {100 * wrong(followed, exact[::EVERY]):.0f} % of {len(followed)} points"
    )


if __name__ == "__main__":
    main()
