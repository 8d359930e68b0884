"""What an adaptive schedule does to the 95 % intervals of onsets: they keep their coverage though their checkpoints were chosen by
their own results, and are narrower than those of as many checkpoints evenly spaced in log tau.

The counts and widths in docs/explanation/definitions.md are those of the slow repetitions.
"""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import binom

from tauscope.analysis.onsets import tau_gen, tau_mem
from tauscope.analysis.refinement import next_refinement
from tauscope.contracts.onsets import Onset
from tauscope.contracts.points import Point
from tauscope.specs import ImageDdpmSpec
from tauscope.specs.schedule import LogSpaced
from tests.science.test_coverage import BUDGET, CONTROL, INTERVALS, LEVEL, SAMPLES, SHAPES, holds

QUALITY = 0.7
ADAPTIVE = {"kind": "adaptive", "first": 5, "count": 8, "checkpoints": 61, "target": 1.25, "budget": 8}
SPEC = ImageDdpmSpec.model_validate(
    {
        "steps": BUDGET,
        "measurement": {"schedule": ADAPTIVE, "n_generated": SAMPLES},
        "onsets": {"tau_gen": {"metric": "frechet_pca", "level": QUALITY}, "tau_mem": {"metric": "f_mem", "level": LEVEL}},
    }
)
EVEN = LogSpaced(first=5, count=16).steps(BUDGET)

# All cases take a minute; copying that stays near its level is the hardest, and stands for them.
CASES = [
    pytest.param("plateau", True, 40, id="quick"),
    *(pytest.param(shape, shared, 500, marks=pytest.mark.slow) for shape in SHAPES for shared in (False, True)),
]

Draw = Callable[[int], list[Point]]


def copying(shape: str, onset: float, rng: np.random.Generator, *, shared_seeds: bool) -> Draw:
    """What a step's samples show of a run whose f_mem passes 25 % at ``onset``: the same whenever the step is drawn."""
    curve, seeds = SHAPES[shape], rng.random(SAMPLES)
    offset = brentq(lambda x: curve(x) - LEVEL, -5, 5)
    noise = int(rng.integers(2**31))

    def draw(step: int) -> list[Point]:
        share = curve(np.log(step / onset) + offset)
        fresh = np.random.default_rng((noise, step))
        copies = int((seeds < share).sum()) if shared_seeds else int(fresh.binomial(SAMPLES, share))
        low, high = INTERVALS[copies]
        return [Point(step=step, metric="f_mem", value=copies / SAMPLES, low=low, high=high, count=SAMPLES)]

    return draw


def improving(onset: float, rng: np.random.Generator) -> Draw:
    """A quality of samples that falls through its level at ``onset`` and turns back late, beside copying that never comes."""
    noise = int(rng.integers(2**31))

    def draw(step: int) -> list[Point]:
        true = 0.45 + 0.5 / (1 + (step / onset) ** 1.5) + 0.1 * float(np.log1p(step / 5000))
        true += QUALITY - (0.7 + 0.1 * float(np.log1p(onset / 5000)))  # At the onset it is the level.
        value = true + float(np.random.default_rng((noise, step)).normal(0, 0.01))
        low, high = INTERVALS[0]
        return [
            Point(step=step, metric="frechet_pca", value=value, low=value - 0.0196, high=value + 0.0196, count=SAMPLES),
            Point(step=step, metric="f_mem", value=0.0, low=low, high=high, count=SAMPLES),
        ]

    return draw


def refined(draw: Draw) -> list[Point]:
    """All points of a run with the adaptive schedule."""
    points = [CONTROL, *(point for step in SPEC.measurement.schedule.steps(BUDGET) for point in draw(step))]
    while (found := next_refinement(SPEC, points)) is not None:
        points += draw(found.step)
    return points


def evenly(draw: Draw) -> list[Point]:
    return [CONTROL, *(point for step in EVEN for point in draw(step))]


def ratio(onset: Onset) -> float:
    return onset.high / onset.low if onset.low and onset.high else np.inf


def judge(name: str, case: Callable[[float, np.random.Generator], Draw], read: Callable[[list[Point]], Onset], repetitions: int) -> None:
    """Both schedules on the same runs, whose onsets lie between 100 and 2,000 steps."""
    rng, covered, sampled = np.random.default_rng(0), {"refined": 0, "even": 0}, []
    widths: dict[str, list[float]] = {"refined": [], "even": []}
    for _ in range(repetitions):
        truth = float(np.exp(rng.uniform(np.log(100), np.log(2000))))
        draw = case(truth, rng)
        points = {"refined": refined(draw), "even": evenly(draw)}
        sampled.append(len({point.step for point in points["refined"]}))
        for schedule, found in points.items():
            onset = read(found)
            covered[schedule] += holds(onset, truth)
            if onset.value is not None:
                widths[schedule].append(ratio(onset))
    told = {name: f"median {np.median(found):.2f}, nine in ten below {np.quantile(found, 0.9):.2f}" for name, found in widths.items()}
    print(f"{name}: refined {covered['refined']} of {repetitions}, {told['refined']}, {np.mean(sampled):.1f} checkpoints;", end=" ")
    print(f"16 even {covered['even']}, {told['even']}")
    assert covered["refined"] >= binom.ppf(0.02, repetitions, 0.95)  # Fewer hold the truth in one case of fifty; of 500 that is 93 %.
    assert max(sampled) <= len(EVEN)
    assert np.median(widths["refined"]) < 0.92 * np.median(widths["even"])


@pytest.mark.parametrize(("shape", "shared_seeds", "repetitions"), CASES)
def test_a_refined_interval_of_tau_mem_holds_the_truth_and_is_narrower(shape: str, shared_seeds: bool, repetitions: int) -> None:
    judge(
        f"tau_mem {shape} shared={shared_seeds}",
        lambda truth, rng: copying(shape, truth, rng, shared_seeds=shared_seeds),
        lambda points: tau_mem(points, LEVEL),
        repetitions,
    )


@pytest.mark.parametrize("repetitions", [40, pytest.param(500, marks=pytest.mark.slow)])
def test_a_refined_interval_of_tau_gen_holds_the_truth_and_is_narrower(repetitions: int) -> None:
    judge("tau_gen of a quality on samples", improving, lambda points: tau_gen(points, "frechet_pca", QUALITY), repetitions)
