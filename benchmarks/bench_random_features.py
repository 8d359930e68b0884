"""A random-features model solved, against training it step by step, on the same matrices in one run.

d = 100, psi_p = 64, psi_n = 8 (p = 6,400, n = 800), t = 0.01, tanh; losses at 160 times up to tau = 1e6. The loops are timed over 20 steps
and extrapolated to as many as they need at the largest step that gradient descent allows with a margin of two, which is the
best that can be said for them. Seconds of CPU on one thread.
"""

import time
from collections.abc import Callable

import numpy as np

from tauscope.theory.rf_covariance import draw_equivalent, draw_exact, equivalent_covariances
from tauscope.theory.rf_dynamics import Solved
from tauscope.theory.rf_loop import ExactGradient, Loop, SampledGradient
from tauscope.theory.rf_model import RandomFeatures

MODEL = RandomFeatures(psi_p=64, psi_n=8, d=100, t=0.01)
LAST, TIMES, STEPS = 1e6, 160, 20


def seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def solve(seed: int) -> Solved:
    solved = Solved.of(MODEL, equivalent_covariances(MODEL, draw_equivalent(MODEL, np.random.default_rng(seed))))
    solved.flow(np.geomspace(1, LAST, TIMES))
    return solved


def main() -> None:
    print(f"d = {MODEL.d}, p = {MODEL.p:,}, n = {MODEL.n}; losses at {TIMES} times up to tau = {LAST:g}")
    closed = min(seconds(lambda: solve(0)) for _ in range(3))
    print(f"closed form, sampling and eigenvectors included: {closed:.2f} s")
    dtau = 1 / float(solve(0).rate[-1])
    needed = LAST / dtau
    rng = np.random.default_rng(0)
    draw = draw_exact(MODEL, rng)
    whole = equivalent_covariances(MODEL, draw_equivalent(MODEL, rng, whole=True))
    loops = {
        "exact gradient, U of p x p": Loop(MODEL, ExactGradient(MODEL, whole), eta=dtau * MODEL.d**2),
        "one noise draw a point and step": Loop(MODEL, SampledGradient(MODEL, draw, rng), eta=dtau * MODEL.d**2),
    }
    for name, loop in loops.items():
        step = seconds(lambda: [loop.advance() for _ in range(STEPS)]) / STEPS  # noqa: B023
        total = step * needed
        print(f"{name}: {step:.3f} s a step, {needed:,.0f} steps: {total / 3600:.1f} hours, {total / closed:,.0f} times as long")


if __name__ == "__main__":
    main()
