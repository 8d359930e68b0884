"""The agreement of two networks against geometry and closed forms, and tau_split on models whose agreement is known."""

import numpy as np
import pytest
from numpy import ndarray

from tauscope.analysis.markers import tau_split
from tauscope.analysis.twins import COSINE, cosine_point
from tauscope.contracts.onsets import OnsetStatus
from tauscope.contracts.points import Point
from tauscope.metrics.agreement import cosines, mean_cosine
from tauscope.specs import ImageDdpmSpec

SPEC = ImageDdpmSpec()
METRIC = f"{COSINE}@300"


def of(rows: list[list[float]]) -> ndarray:
    return np.array(rows, dtype=float).reshape(len(rows), 1, 1, -1)


def test_the_cosine_is_that_of_the_angle_whatever_the_lengths() -> None:
    one = of([[1, 0], [3, 0], [1, 0], [0, 2]])
    other = of([[5, 0], [1, 1], [0, 1], [0, -7]])
    np.testing.assert_allclose(cosines(one, other), [1, np.sqrt(0.5), 0, -1], atol=1e-15)


def test_the_comparison_is_the_same_to_the_last_bit_whichever_twin_is_first() -> None:
    one, other = np.random.default_rng(1).normal(size=(2, 64, 1, 8, 8)).astype(np.float32)
    assert mean_cosine(one, other) == mean_cosine(other, one)


def test_a_shared_part_shows_as_its_share_of_the_variance() -> None:
    # Two answers s + d with independent d: the cosine in many dimensions is var(s) / (var(s) + var(d)).
    shared, mine, theirs = np.random.default_rng(2).normal(size=(3, 256, 1, 40, 40))
    value, low, high = mean_cosine(2 * shared + mine, 2 * shared + theirs)
    assert low < 0.8 < high
    assert high - low < 0.01, "1,600 dimensions: each cosine errs by about 0.01, and 256 are averaged"
    assert abs(value - 0.8) < 0.005


def test_the_interval_over_points_holds_the_mean_over_all_points() -> None:
    rng = np.random.default_rng(3)
    shared, mine, theirs = rng.normal(size=(3, 4000, 1, 4, 4))
    strength = rng.uniform(0, 3, size=(4000, 1, 1, 1))  # Points on which the two agree more and less.
    one, other = strength * shared + mine, strength * shared + theirs
    truth, held = float(cosines(one, other).mean()), 0
    for _ in range(100):
        chosen = rng.choice(4000, 64, replace=False)
        _, low, high = mean_cosine(one[chosen], other[chosen])
        held += low <= truth <= high
    assert 88 <= held <= 100, "binomial(100, 0.95) falls below 88 once in 500 times"


@pytest.mark.parametrize("broken", [of([[0, 0]]), of([[np.nan, 1]]), of([[1, 2, 3]])])
def test_what_has_no_direction_is_a_missing_point_with_a_reason(broken: ndarray) -> None:
    point = cosine_point(SPEC, 7, broken, of([[1, 2]]))
    assert (point.step, point.metric, point.value) == (7, METRIC, None)
    assert point.reason


class Ridge:
    """Linear regression by gradient descent, whose weights at time t are known: w(t) = (1 - exp(-t S)) S^-1 X^T y / n."""

    def __init__(self, x: ndarray, y: ndarray, start: ndarray) -> None:
        self.values, self.vectors = np.linalg.eigh(x.T @ x / len(x))
        self.target = self.vectors.T @ (x.T @ y) / len(x)
        self.start = self.vectors.T @ start

    def weights(self, t: float) -> ndarray:
        left = np.exp(-t * self.values)[:, None]
        learnt = (1 - left) / np.maximum(self.values, 1e-9)[:, None] * self.target
        found: ndarray = self.vectors @ (left * self.start + learnt)
        return found


def ridge_twins(seed: int, times: list[int]) -> tuple[list[Point], list[float]]:
    """Two linear models on disjoint halves of noisy data with a quickly and many slowly learnt directions, and the cosine of their weights.

    At points that are white, the expected inner product of two answers is that of the weights: the closed form beside the measurement.
    """
    rng = np.random.default_rng(seed)
    d, n = 60, 40
    scale = np.where(np.arange(d) < 8, 3.0, 0.3)
    truth = rng.normal(size=(d, 30)) * (np.arange(d) < 8)[:, None]
    halves = []
    for _ in range(2):
        x = rng.normal(size=(n, d)) * scale
        y = x @ truth + 6 * rng.normal(size=(n, 30))
        halves.append(Ridge(x, y, 0.4 * rng.normal(size=(d, 30))))
    bank = rng.normal(size=(256, d))
    points, exact = [], []
    for t in times:
        one, other = (half.weights(t / 100) for half in halves)
        points.append(cosine_point(SPEC, t, *((bank @ w).reshape(256, 1, 1, 30) for w in (one, other))))
        exact.append(float((one * other).sum() / np.linalg.norm(one) / np.linalg.norm(other)))
    return points, exact


TIMES = [round(1.4**k) for k in range(2, 34)]


@pytest.mark.parametrize("seed", range(4))
def test_linear_twins_agree_most_where_their_closed_form_says(seed: int) -> None:
    points, exact = ridge_twins(seed, TIMES)
    found, peak = tau_split(points, METRIC), TIMES[int(np.argmax(exact))]
    assert found.status is OnsetStatus.REACHED and found.low is not None and found.high is not None
    assert found.low <= peak <= found.high
    assert found.level == max(point.value for point in points if point.value is not None)
    assert min(exact[0], exact[-1]) < max(exact) - 0.1, "first they learn what both halves have, then each its own noise"


def bump(seed: int, *, jump: float) -> list[Point]:
    """An agreement that is highest at 48, measured with a standard error of 0.002 at each checkpoint, and that jumps between them."""
    rng = np.random.default_rng(seed)
    steps = sorted({round(5 * 1.19**k) for k in range(28)})
    values = [0.92 - 0.03 * np.log(step / 48) ** 2 + jump * rng.normal() + 0.002 * rng.normal() for step in steps]
    return [Point(step=t, metric=METRIC, value=v, low=v - 0.004, high=v + 0.004, count=256) for t, v in zip(steps, values, strict=True)]


@pytest.mark.parametrize("jump", [0.0, 0.005, 0.01])
def test_the_interval_of_tau_split_holds_the_highest_agreement_where_the_cosine_jumps(jump: float) -> None:
    held = 0
    for seed in range(200):
        found = tau_split(bump(seed, jump=jump), METRIC)
        held += (found.low or 0) <= 48 <= (found.high or np.inf)
    assert held >= 184, "binomial(200, 0.95) falls below 184 once in 300 times"


def test_steps_that_one_twin_lacks_only_widen_the_interval() -> None:
    points, exact = ridge_twins(1, TIMES)
    peak = int(np.argmax(exact))
    found = tau_split([point for place, point in enumerate(points) if place not in (peak, peak + 1)], METRIC)
    assert found.status is OnsetStatus.REACHED and found.low is not None and found.high is not None
    assert found.low <= TIMES[peak] <= found.high


def test_tau_split_is_censored_until_the_agreement_has_fallen_beyond_doubt() -> None:
    points, exact = ridge_twins(2, TIMES)
    peak = int(np.argmax(exact))
    rising = tau_split(points[: peak + 1], METRIC)
    assert (rising.status, rising.high, rising.reason) == (OnsetStatus.CENSORED, None, f"no fall by {TIMES[peak]:,}")
    falling = tau_split(points[peak:], METRIC)
    assert falling.status is OnsetStatus.BEFORE_FIRST


def test_a_twin_that_diverged_leaves_a_bound_and_no_twin_leaves_words() -> None:
    points, exact = ridge_twins(3, TIMES)
    peak = int(np.argmax(exact))
    lost = [cosine_point(SPEC, t, np.full((2, 1, 1, 2), np.nan), np.ones((2, 1, 1, 2))) for t in TIMES[peak - 3 :]]
    found = tau_split([*points[: peak - 3], *lost], METRIC)
    assert (found.status, found.reason) == (OnsetStatus.CENSORED, f"no fall by {TIMES[peak - 4]:,}")
    assert tau_split([], METRIC).reason == "it was not compared with a twin"
    assert tau_split(points[:1], METRIC).status is OnsetStatus.UNDEFINED
