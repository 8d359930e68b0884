"""Means over seeds: against closed forms, in the cases in which a spread of zero would lie, and by their coverage."""

import numpy as np
import pytest
from numpy import ndarray
from scipy.stats import t as student

from tauscope.analysis.seeds import SeedCurve, SeedMean, mean_over_seeds

TAU = np.array([1.0, 10.0, 100.0])


def seed(values: list[float], *, tau: ndarray = TAU, half: float = float("nan")) -> SeedCurve:
    value = np.array(values)
    return SeedCurve(tau, value, value - half, value + half)


def test_mean_and_interval_are_students_over_the_seeds_point_by_point() -> None:
    found = mean_over_seeds([seed([1, 2, 3]), seed([2, 2, 5]), seed([3, 2, 10])])
    assert found.mean == pytest.approx([2, 2, 6])
    half = student.ppf(0.975, 2) * np.std([3, 5, 10], ddof=1) / np.sqrt(3)
    assert (found.low[2], found.high[2]) == pytest.approx((6 - half, 6 + half))
    assert found.low[1] == found.high[1] == 2


def test_seeds_that_agree_by_chance_are_no_certainty_where_each_has_an_interval_of_its_own() -> None:
    none_copied = [SeedCurve(TAU, np.zeros(3), np.zeros(3), np.full(3, 0.0096)) for _ in range(3)]
    found = mean_over_seeds(none_copied)
    assert found.mean == pytest.approx([0, 0, 0])
    assert found.high == pytest.approx([0.0096] * 3)


def test_a_seed_measured_at_other_times_is_interpolated_linear_in_log_tau_within_what_all_cover() -> None:
    late = seed([2, 4], tau=np.array([10.0, 1000.0]))
    found = mean_over_seeds([seed([0, 0, 0]), seed([0, 0, 0]), late])
    assert found.tau == pytest.approx([10, 100])
    assert found.mean == pytest.approx([2 / 3, 3 / 3])


def test_a_missing_value_of_one_seed_leaves_a_gap_in_the_mean_and_not_beside_it() -> None:
    found = mean_over_seeds([seed([1, 1, 1]), seed([1, float("nan"), 1]), seed([1, 1, 1])])
    assert np.isnan(found.mean).tolist() == [False, True, False]


def test_seeds_without_a_common_time_have_no_mean() -> None:
    empty = SeedCurve(*[np.empty(0)] * 4)
    assert len(mean_over_seeds([seed([1, 1, 1]), seed([1, 1, 1]), empty]).tau) == 0


def test_two_seeds_are_refused_with_the_remedy() -> None:
    with pytest.raises(ValueError, match="draw them singly"):
        mean_over_seeds([seed([1, 1, 1]), seed([2, 2, 2])])


@pytest.mark.parametrize("count", [3, 8])
def test_the_interval_covers_the_true_mean_in_ninety_five_of_a_hundred_sweeps(count: int) -> None:
    rng = np.random.default_rng(5)
    tau = np.arange(1, 4001, dtype=np.float64)  # Each step is a sweep of its own.
    values = rng.normal(3.0, 1.0, size=(count, len(tau)))
    found: SeedMean = mean_over_seeds([SeedCurve(tau, row, np.full(len(tau), np.nan), np.full(len(tau), np.nan)) for row in values])
    covered = ((found.low <= 3.0) & (found.high >= 3.0)).mean()
    assert covered == pytest.approx(0.95, abs=3 * np.sqrt(0.95 * 0.05 / len(tau)))  # Three standard errors of 4,000 sweeps.
