"""What 95 % intervals hold: onsets, laws and the difference of two laws against known truths, counted over fixed seeds.

The counts and widths in docs/explanation/definitions.md are those of these very repetitions.
"""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import binom

from tauscope.analysis.collapse import CopyCurve, collapse
from tauscope.analysis.comparison import exponent_difference
from tauscope.analysis.onsets import tau_gen, tau_mem
from tauscope.analysis.power_law import LogOnsets, PowerLaw
from tauscope.analysis.scaling import fit_sweep
from tauscope.contracts.onsets import Onset, OnsetStatus
from tauscope.contracts.points import Point
from tauscope.contracts.summary import RunSummary
from tauscope.metrics.intervals import clopper_pearson

REPETITIONS = 500
PROMISED = 0.93  # Of 500 at 95 % fewer than 93 % hold the truth in one case of forty.
SAMPLES = 256
BUDGET = 2400
GRID = [round(5 * 480 ** (k / 14)) for k in range(15)]  # 5 to 2,400, as in the demo
LEVEL = 0.25
SHAPES: dict[str, Callable[[float], float]] = {
    "logistic": lambda x: 0.75 / (1 + np.exp(-3 * x)),
    "gompertz": lambda x: float(np.exp(-np.exp(-1.5 * x))),
    "plateau": lambda x: 0.45 * float(np.clip((x + 1) / 1.5, 0, 1)),
}
INTERVALS = [clopper_pearson(copies, SAMPLES) for copies in range(SAMPLES + 1)]
CONTROL = Point(step=5, metric="f_mem_control", value=0.0, low=0.0, high=0.0037, count=1000)


def copying(shape: str, onset: float, rng: np.random.Generator, *, shared_seeds: bool = False) -> list[Point]:
    """A run whose f_mem passes 25 % at ``onset``, counted on 256 samples with binomial noise at every checkpoint."""
    curve = SHAPES[shape]
    offset = brentq(lambda x: curve(x) - LEVEL, -5, 5)
    seeds = rng.random(SAMPLES)
    points = [CONTROL]
    for step in GRID:
        share = curve(np.log(step / onset) + offset)
        copies = int((seeds < share).sum()) if shared_seeds else int(rng.binomial(SAMPLES, share))
        low, high = INTERVALS[copies]
        points.append(Point(step=step, metric="f_mem", value=copies / SAMPLES, low=low, high=high, count=SAMPLES))
    return points


def holds(onset: Onset, truth: float) -> bool:
    assert onset.low is not None
    return onset.low <= truth <= (np.inf if onset.high is None else onset.high)


@pytest.mark.parametrize("shared_seeds", [False, True], ids=["fresh seeds", "the same seeds"])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_interval_of_tau_mem_holds_the_true_onset(shape: str, shared_seeds: bool) -> None:
    """Onsets lie between 100 and 4,000 steps, so that the latest come after the last measurement."""
    rng, covered, late, widths = np.random.default_rng(0), 0, [], []
    for _ in range(REPETITIONS):
        truth = float(np.exp(rng.uniform(np.log(100), np.log(4000))))
        found = tau_mem(copying(shape, truth, rng, shared_seeds=shared_seeds), LEVEL)
        covered += holds(found, truth)
        if found.status is OnsetStatus.CENSORED:
            late.append(holds(found, truth))
        elif found.low and found.high:
            widths.append(found.high / found.low)
    print(f"onset {shape} shared={shared_seeds}: {covered} of {REPETITIONS}, censored {sum(late)} of {len(late)}, ", end="")
    print(f"ratio of ends: median {np.median(widths):.2f}, nine in ten below {np.quantile(widths, 0.9):.2f}")
    assert covered >= PROMISED * REPETITIONS
    assert len(late) > 50 and sum(late) >= PROMISED * len(late)
    assert np.median(widths) < 2.5  # Two cells of the grid, each a factor of 1.55, are 2.4.


def run(name: str, n: int, seed: int, onset: Onset) -> RunSummary:
    return RunSummary(id=f"{n}-{seed}", params={"n_train": n, "seed": seed}, state="finished", onsets={name: onset}, final={}, seconds=1)


def known(n: int, tau: float, *, error: float, last: float = np.inf) -> Onset:
    """An onset as it is measured: with its error, or not by the last step."""
    if tau > last:
        return Onset(value=None, low=last, high=None, status=OnsetStatus.CENSORED, metric="f_mem", level=LEVEL)
    low, high = (tau * float(np.exp(side * 1.96 * error)) for side in (-1, +1))
    return Onset(value=tau, low=low, high=high, status=OnsetStatus.REACHED, metric="f_mem", level=LEVEL)


CASES = {
    "4 n, 3 seeds": ((16, 32, 64, 128), 0.08, 0.01, np.inf),
    "3 n, 3 seeds": ((16, 32, 64), 0.08, 0.01, np.inf),
    "4 n, 3 seeds, errors as large as the spread": ((16, 32, 64, 128), 0.08, 0.08, np.inf),
    "4 n, 3 seeds, half of the largest n censored": ((16, 32, 64, 128), 0.08, 0.03, 3 * 128**1.2),
}


# The censored one takes every path through the likelihood; the others are its special cases, and all of them take minutes.
_QUICK_CASE, _QUICK_REPETITIONS = "4 n, 3 seeds, half of the largest n censored", 150
_WHOLE = [pytest.param(case, REPETITIONS, marks=pytest.mark.slow, id=case) for case in CASES]


@pytest.mark.parametrize(("case", "repetitions"), [pytest.param(_QUICK_CASE, _QUICK_REPETITIONS, id="quick"), *_WHOLE])
def test_the_interval_of_an_exponent_holds_the_true_one_with_three_seeds(case: str, repetitions: int) -> None:
    sizes, spread, error, last = CASES[case]
    rng, covered, exponents, widths = np.random.default_rng(0), 0, [], []
    for _ in range(repetitions):
        scatter = iter(rng.normal(0, np.hypot(spread, error), (len(sizes) * 3)))
        runs = [
            run("tau_mem", n, seed, known(n, 3 * n**1.2 * float(np.exp(next(scatter))), error=error, last=last))
            for n in sizes
            for seed in range(3)
        ]
        found = fit_sweep(runs)["tau_mem_vs_n"]
        assert found.exponent is not None and found.low is not None and found.high is not None
        covered += found.low <= 1.2 <= found.high
        exponents.append(found.exponent)
        widths.append(found.high - found.low)
    print(f"exponent {case}: {covered} of {repetitions}, width: median {np.median(widths):.3f}, mean {np.mean(exponents):.4f}")
    assert covered >= binom.ppf(0.02, repetitions, 0.95)  # Fewer hold the truth in one case of fifty; of 500 that is 93 %.
    # Unbiased to a tenth of its interval: a bound dropped, or taken for a value, would bend it by more.
    assert np.mean(exponents) == pytest.approx(1.2, abs=0.1 * np.median(widths))


def test_from_curves_to_exponent_the_interval_holds_the_truth() -> None:
    """The whole way: 3 n and 3 seeds that differ by 8 %, 256 samples a checkpoint, onsets read off, the law fitted."""
    rng, covered, repetitions, widths = np.random.default_rng(0), 0, 60, []
    for _ in range(repetitions):
        runs = [
            run("tau_mem", n, seed, tau_mem(copying("logistic", 9 * n**1.2 * float(np.exp(rng.normal(0, 0.08))), rng), LEVEL))
            for n in (16, 32, 64)
            for seed in range(3)
        ]
        found = fit_sweep(runs)["tau_mem_vs_n"]
        assert found.low is not None and found.high is not None
        covered += found.low <= 1.2 <= found.high
        widths.append(found.high - found.low)
    print(f"curves to exponent: {covered} of {repetitions}, width: median {np.median(widths):.3f}")
    assert covered >= PROMISED * repetitions


@pytest.mark.slow
@pytest.mark.parametrize(
    ("first", "second"),
    [(((16, 32, 64, 128), 0.08), ((16, 32, 64, 128), 0.08)), (((16, 32, 64, 128), 0.03), ((16, 64), 0.2))],
    ids=["alike", "few and scattered against many and tight"],
)
def test_equal_exponents_are_told_apart_no_more_often_than_one_time_in_twenty(
    first: tuple[tuple[int, ...], float], second: tuple[tuple[int, ...], float]
) -> None:
    rng, repetitions = np.random.default_rng(0), 150

    def law(sizes: tuple[int, ...], spread: float) -> tuple[PowerLaw, int]:
        x = np.log(np.repeat(sizes, 3))
        log_tau = 1 + 1.2 * x + rng.normal(0, spread, len(x))
        return PowerLaw(LogOnsets(x[:, None], log_tau, np.full(len(x), 0.01), np.zeros(len(x), int)), with_spread=True), 0

    p_values = [exponent_difference(law(*first), law(*second))[3] for _ in range(repetitions)]
    told = sum(p < 0.05 for p in p_values)
    print(f"comparison: {told} of {repetitions} at p < 0.05")
    assert told <= 0.1 * repetitions  # At 5 % more than 15 of 150 come once in 300 times.


SIZES = (16, 32, 64, 128)


def falling(n: int, rng: np.random.Generator) -> Iterator[Point]:
    """A held-out loss that falls alike for every n, and goes on to a better end where there are more images."""
    for step in GRID:
        true = 0.45 + 0.5 / (1 + (step / 30) ** 1.5) + 0.1 * (16 / n) ** 0.5 * float(np.log1p(step / (20 * n)))
        value = true + float(rng.normal(0, 0.003))
        yield Point(step=step, metric="loss_held_out@100", value=value, low=value - 0.006, high=value + 0.006, count=512)


def exponent_of_quality(rng: np.random.Generator, *, relative: bool) -> tuple[float, float]:
    """The interval of the exponent of tau_gen in n, by one level for all or by each run's own best."""
    runs = []
    for n in SIZES:
        for seed in range(3):
            points = list(falling(n, rng))
            best = min(point.value for point in points if point.value is not None)
            runs.append(run("tau_gen", n, seed, tau_gen(points, "loss_held_out@100", 1.05 * best if relative else 0.7)))
    found = fit_sweep(runs)["tau_gen_vs_n"]
    assert found.low is not None and found.high is not None
    return found.low, found.high


def test_quality_that_does_not_depend_on_n_shows_no_exponent_by_one_level_and_a_false_one_by_its_own_best() -> None:
    rng = np.random.default_rng(0)
    covered = sum(low <= 0 <= high for low, high in (exponent_of_quality(rng, relative=False) for _ in range(60)))
    print(f"tau_gen: {covered} of 60 intervals hold 0")
    assert covered >= PROMISED * 60
    low, _ = exponent_of_quality(rng, relative=True)
    assert low > 0.1


def test_the_collapse_score_is_best_at_the_true_exponent_on_counted_samples() -> None:
    """256 samples a checkpoint, 3 seeds that differ by 8 %: the best exponent has no bias, and its interval covers."""
    rng, best, covered, widths, tau = np.random.default_rng(0), [], 0, [], np.array(GRID, dtype=float)

    def curve(n: int) -> CopyCurve:
        onset = 9 * n**1.2 * np.exp(rng.normal(0, 0.08))
        return CopyCurve(n, tau, rng.binomial(SAMPLES, 0.75 / (1 + (onset / tau) ** 3)) / SAMPLES)

    for _ in range(REPETITIONS):
        found = collapse([curve(n) for n in (16, 32, 64) for _ in range(3)])
        (scaling,) = found.scalings
        assert scaling.low is not None and scaling.high is not None
        best.append(scaling.best)
        covered += scaling.low <= 1.2 <= scaling.high
        widths.append(scaling.high - scaling.low)
        assert found.score(*found.best) < 0.1 < found.score(0.5)
    print(f"collapse: best {np.mean(best):.3f}, {covered} of {REPETITIONS} hold 1.2, width: median {np.median(widths):.3f}")
    assert np.mean(best) == pytest.approx(1.2, abs=0.01)  # The mean of 500 errs by 0.0025; levels up to the top would bend it by 0.02.
    assert covered >= PROMISED * REPETITIONS


def test_the_collapse_score_of_n_and_w_is_best_at_both_true_exponents() -> None:
    """As above, 2 seeds of each of 3 n and 3 W, scaled as n^1.2 / W: both exponents at once."""
    rng, tau, truth = np.random.default_rng(0), np.array(GRID, dtype=float), {"n": 1.2, "width": -1.0}
    best, covered, widths = [], dict.fromkeys(truth, 0), []

    def curve(n: int, width: int) -> CopyCurve:
        onset = 9 * n**1.2 * 16 / width * np.exp(rng.normal(0, 0.08))
        return CopyCurve(n, tau, rng.binomial(SAMPLES, 0.75 / (1 + (onset / tau) ** 3)) / SAMPLES, width)

    for _ in range(REPETITIONS):
        found = collapse([curve(n, width) for n in (16, 32, 64) for width in (8, 16, 32) for _ in range(2)], ("n", "width"))
        best.append(found.best)
        for scaling in found.scalings:
            assert scaling.low is not None and scaling.high is not None
            covered[scaling.variable] += scaling.low <= truth[scaling.variable] <= scaling.high
            widths.append(scaling.high - scaling.low)
        assert found.score(*found.best) < 0.1 < min(found.score(1.2, 0.0), found.score(0.0, -1.0))
    print(f"collapse: best {np.mean(best, axis=0)}, {covered} of {REPETITIONS} hold, width: median {np.median(widths):.3f}")
    assert np.mean(best, axis=0) == pytest.approx(list(truth.values()), abs=0.01)
    assert all(count >= PROMISED * REPETITIONS for count in covered.values())
