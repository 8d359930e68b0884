"""Intervals agree with SciPy and never claim certainty from no event."""

import numpy as np
import pytest
from scipy.stats import binomtest, norm, t

from tauscope.metrics.intervals import CONFIDENCE, Z95, clopper_pearson, jackknife_interval, mean_interval, median_interval


@pytest.mark.parametrize(("successes", "trials"), [(0, 384), (1, 384), (96, 384), (383, 384), (384, 384), (0, 1), (5, 10_000)])
def test_clopper_pearson_equals_scipys_exact_interval(successes: int, trials: int) -> None:
    expected = binomtest(successes, trials).proportion_ci(method="exact")
    assert clopper_pearson(successes, trials) == pytest.approx((expected.low, expected.high), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("trials", [100, 384, 10_000])
def test_no_copy_in_n_samples_bounds_the_share_by_about_3_7_over_n(trials: int) -> None:
    low, high = clopper_pearson(0, trials)
    assert low == 0
    assert high == pytest.approx(3.69 / trials, rel=0.02)


@pytest.mark.parametrize(("successes", "trials"), [(-1, 10), (11, 10), (0, 0)])
def test_an_impossible_share_is_refused(successes: int, trials: int) -> None:
    with pytest.raises(ValueError, match="trials"):
        clopper_pearson(successes, trials)


def test_the_normal_quantile_that_is_written_out_is_the_one_of_the_confidence() -> None:
    assert norm.ppf(0.5 + CONFIDENCE / 2) == Z95


def test_the_interval_of_a_mean_is_students() -> None:
    values = np.random.default_rng(0).normal(size=12)
    expected = t.interval(0.95, 11, values.mean(), values.std(ddof=1) / 12**0.5)
    assert mean_interval(values)[1:] == pytest.approx(expected)


def test_the_jackknife_of_a_mean_has_its_standard_error() -> None:
    rows = np.random.default_rng(1).normal(size=(640, 1))
    value, low, high = jackknife_interval(lambda part: float(part.mean()) + 10, rows, groups=640)
    expected = float(norm.ppf(0.975)) * rows.std(ddof=1) / 640**0.5
    assert value == pytest.approx(rows.mean() + 10)
    assert (high - low) / 2 == pytest.approx(expected, rel=0.01)  # Student's against normal quantile at 639 degrees


@pytest.mark.parametrize(("n", "rank"), [(5, None), (6, 0), (8, 0), (9, 1), (12, 2), (100, 39)])
def test_the_interval_of_a_median_is_between_the_order_statistics_of_the_tables(n: int, rank: int | None) -> None:
    """Ranks as tabulated for the sign test, from 0 (e.g. Conover, Practical Nonparametric Statistics)."""
    values = np.arange(n, dtype=float)
    median, low, high = median_interval(values[::-1])
    assert median == (n - 1) / 2
    assert (low, high) == ((None, None) if rank is None else (float(rank), float(n - 1 - rank)))
