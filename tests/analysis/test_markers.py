"""tau_test: the least held-out loss, the steps that cannot be told from it, and states that are honest."""

import numpy as np
import pytest

from tauscope.analysis.markers import tau_test
from tauscope.analysis.summary import find_markers
from tauscope.contracts.onsets import Onset, OnsetStatus
from tauscope.contracts.points import Point
from tauscope.metrics.intervals import Z95, mean_interval
from tauscope.specs import load_preset

GRID = [round(5 * 480 ** (k / 14)) for k in range(15)]
METRIC = "loss_held_out@100"


def losses(values: list[float], *, error: float = 0.005) -> list[Point]:
    half = Z95 * error
    return [Point(step=step, metric=METRIC, value=v, low=v - half, high=v + half, count=512) for step, v in zip(GRID, values, strict=False)]


def bowl(least: int, *, slope: float = 0.1) -> list[float]:
    return [0.5 + slope * abs(k - least) for k in range(len(GRID))]


def test_a_sharp_minimum_is_the_checkpoint_between_its_two_neighbours() -> None:
    found = tau_test(losses(bowl(6)), METRIC)
    assert (found.status, found.value, found.low, found.high) == (OnsetStatus.REACHED, GRID[6], GRID[5], GRID[7])
    assert found.level == 0.5


def test_checkpoints_that_cannot_be_told_from_the_least_widen_the_interval() -> None:
    found = tau_test(losses(bowl(6, slope=0.01)), METRIC)
    # 14 comparisons at 95 % together: 2.69 standard errors of a difference of two losses, 0.019; one step off is 0.01.
    assert (found.value, found.low, found.high) == (GRID[6], GRID[4], GRID[8])


def test_a_loss_that_still_falls_is_censored() -> None:
    found = tau_test(losses([1 - 0.03 * k for k in range(15)]), METRIC)
    assert (found.status, found.value, found.low, found.high) == (OnsetStatus.CENSORED, None, GRID[-2], None)
    assert found.reason == "no rise by 2,400"


def test_a_rise_that_may_be_chance_is_no_minimum_yet() -> None:
    values = [1 - 0.03 * k for k in range(15)]
    values[-1] = values[-2] + 0.01
    assert tau_test(losses(values), METRIC).status is OnsetStatus.CENSORED


def test_a_loss_that_only_rises_had_its_minimum_before_the_first_measurement() -> None:
    found = tau_test(losses(bowl(0)), METRIC)
    assert (found.status, found.value, found.low, found.high) == (OnsetStatus.BEFORE_FIRST, None, 0, GRID[1])


@pytest.mark.parametrize("count", [0, 1])
def test_without_two_measurements_it_is_undefined(count: int) -> None:
    found = tau_test(losses([0.5] * count), METRIC)
    assert found.status is OnsetStatus.UNDEFINED
    assert METRIC in found.reason


def test_a_diverged_point_is_left_out() -> None:
    points = [*losses(bowl(6)), Point(step=9999, metric=METRIC, value=None, count=512, reason="diverged")]
    assert tau_test(points, METRIC) == tau_test(points[:-1], METRIC)


@pytest.mark.parametrize(("metric", "expected"), [("loss_held_out@10", "loss_held_out@10"), ("frechet_pca", "loss_held_out@10")])
def test_it_is_read_off_the_loss_that_defines_quality_or_else_the_first(metric: str, expected: str) -> None:
    spec = load_preset("digits-demo").sweep.base
    level = spec.onsets.tau_gen.model_copy(update={"metric": metric})
    spec = spec.model_copy(update={"onsets": spec.onsets.model_copy(update={"tau_gen": level})})
    assert find_markers(spec, [])["tau_test"].metric == expected


@pytest.mark.parametrize("shared", [0.0, 0.9], ids=["fresh pairs", "the same pairs every time"])
def test_the_interval_covers_a_known_minimum(shared: float) -> None:
    """Losses of 512 pairs around a parabola in log tau, with and without errors that move together; 95 % is promised."""
    rng, repetitions = np.random.default_rng(0), 300

    def measured(centre: float) -> Onset:
        hard = rng.normal(0, 1, 512)
        points = []
        for step in GRID:
            true = 0.5 + 0.02 * np.log(step / centre) ** 2
            pairs = true + 0.3 * (shared**0.5 * hard + (1 - shared) ** 0.5 * rng.normal(0, 1, 512))
            value, low, high = mean_interval(pairs)
            points.append(Point(step=step, metric=METRIC, value=value, low=low, high=high, count=512))
        return tau_test(points, METRIC)

    covered = 0
    for _ in range(repetitions):
        centre = float(np.exp(rng.uniform(np.log(30), np.log(1000))))
        found = measured(centre)
        assert found.low is not None
        covered += found.low <= centre <= (found.high or np.inf)
    assert covered >= 0.95 * repetitions
