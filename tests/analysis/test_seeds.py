"""Means over seeds: against closed forms, in the cases in which a spread of zero would lie, and by their coverage."""

import numpy as np
import pytest
from numpy import ndarray
from scipy.stats import t as student

from tauscope.analysis.seeds import SeedCurve, SeedMean, mean_over_seeds, onset_over_seeds
from tauscope.contracts.onsets import Onset, OnsetStatus

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


def reached(value: float, low: float, high: float | None) -> Onset:
    return Onset(value=value, low=low, high=high, status=OnsetStatus.REACHED, metric="f_mem", level=0.25)


def test_an_onset_over_seeds_is_the_geometric_mean_with_students_interval_over_log_tau() -> None:
    found = onset_over_seeds([reached(tau, tau * 0.99, tau * 1.01) for tau in (100, 200, 400)])
    assert found is not None and found.value == pytest.approx(200)
    half = student.ppf(0.975, 2) * np.log(2) / np.sqrt(3)
    assert (found.low, found.high) == pytest.approx((200 * np.exp(-half), 200 * np.exp(half)))
    assert (found.status, found.metric, found.level) == (OnsetStatus.REACHED, "f_mem", 0.25)


def test_onsets_that_agree_by_interpolation_in_one_cell_keep_the_interval_that_each_has() -> None:
    found = onset_over_seeds([reached(200, 100, 300)] * 3)
    assert found is not None and (found.low, found.high) == pytest.approx((100, 300))
    open_ended = onset_over_seeds([reached(200, 0, None)] * 3)
    assert open_ended is not None and (open_ended.low, open_ended.high) == pytest.approx((200, 200))


def test_two_seeds_or_one_that_has_not_reached_it_have_no_onset_in_common() -> None:
    late = Onset(value=None, low=500, high=None, status=OnsetStatus.CENSORED, metric="f_mem", level=0.25, reason="not by 500")
    assert onset_over_seeds([reached(200, 100, 300)] * 2) is None
    assert onset_over_seeds([*[reached(200, 100, 300)] * 3, late]) is None


def test_the_interval_of_an_onset_over_three_seeds_holds_the_truth() -> None:
    rng, held = np.random.default_rng(0), 0
    for _ in range(2000):
        onsets = [reached(tau, tau, tau) for tau in 300 * np.exp(rng.normal(0, 0.1, 3))]
        found = onset_over_seeds(onsets)
        assert found is not None and found.low is not None and found.high is not None
        held += found.low <= 300 <= found.high
    assert 0.935 < held / 2000 < 0.965  # Three standard errors of 2,000 repetitions at 95 %.
