"""The collapse score against curves whose scaling is known."""

import numpy as np
import pytest

from tauscope.analysis.collapse import RISEN, CopyCurve, NoCollapseError, collapse, rise_times

TAU = np.geomspace(5, 5000, 40)


def copying(n: int, exponent: float, *, factor: float = 1.0, tau: np.ndarray = TAU, top: float = 0.9) -> CopyCurve:
    """A logistic rise in log tau around 15 n^exponent."""
    return CopyCurve(n, tau, top / (1 + (15 * factor * n**exponent / tau) ** 3))


@pytest.mark.parametrize("exponent", [0.0, 0.7, 1.0, 1.3])
def test_the_best_exponent_is_the_one_the_curves_were_made_with(exponent: float) -> None:
    found = collapse([copying(n, exponent) for n in (8, 16, 32)])
    assert found.best == pytest.approx(exponent, abs=0.02)


def test_curves_that_scale_exactly_have_score_zero_there_and_one_without_scaling() -> None:
    found = collapse([copying(n, 1.0) for n in (8, 16, 32, 64)])
    assert found.score(0.0) == pytest.approx(1.0)
    assert found.score(found.best) == pytest.approx(0.0, abs=2e-3)
    assert found.score(0.5) == pytest.approx(0.25, abs=0.01)


def test_the_spread_is_the_deviation_of_log_time_between_curves() -> None:
    found = collapse([copying(8, 0.0), copying(16, 0.0, factor=4.0)])
    assert found.spread(0.0) == pytest.approx(np.log(4.0) / 2, rel=0.02)


def test_a_spread_that_n_does_not_explain_stays_at_the_best_exponent() -> None:
    curves = [copying(n, 1.0, factor=factor) for n in (8, 16, 32) for factor in (0.8, 1.25)]
    found = collapse(curves)
    assert found.best == pytest.approx(1.0, abs=0.02)
    assert found.spread(found.best) == pytest.approx(np.log(1.25), rel=0.05)


def test_the_interval_over_runs_covers_the_exponent_and_shrinks_with_the_scatter() -> None:
    rng = np.random.default_rng(3)

    def made(scatter: float) -> list[CopyCurve]:
        return [copying(n, 1.1, factor=float(np.exp(scatter * rng.normal()))) for n in (8, 16, 32, 64) for _ in range(3)]

    wide, tight = collapse(made(0.2)), collapse(made(0.02))
    for found in (wide, tight):
        assert found.low is not None and found.high is not None
        assert found.low - 0.02 < 1.1 < found.high + 0.02
        assert "over runs" in found.note
    assert wide.high - wide.low > 3 * (tight.high - tight.low)  # type: ignore[operator]


def test_one_run_for_each_n_has_an_interval_over_levels_that_says_what_it_leaves_out() -> None:
    assert "run-to-run spread not included" in collapse([copying(8, 1.0), copying(16, 1.0)]).note


def test_a_curve_that_has_not_risen_yet_takes_no_part() -> None:
    flat = CopyCurve(128, TAU, np.zeros_like(TAU))
    with_flat, without = collapse([copying(8, 1.0), copying(16, 1.0), flat]), collapse([copying(8, 1.0), copying(16, 1.0)])
    assert with_flat.best == without.best
    assert with_flat.curves == 2


def test_a_curve_that_rose_part_of_the_way_counts_at_the_levels_it_reached() -> None:
    part = copying(32, 1.0, tau=TAU[TAU < 500])
    found = collapse([copying(8, 1.0), copying(16, 1.0), part])
    assert found.curves == 3
    assert found.best == pytest.approx(1.0, abs=0.03)


@pytest.mark.parametrize(
    "curves",
    [
        [],
        [copying(8, 1.0)],
        [copying(8, 1.0), copying(8, 1.0)],
        [copying(8, 1.0), CopyCurve(16, TAU, np.minimum(copying(16, 1.0).excess, RISEN - 0.01))],
        [copying(8, 1.0), CopyCurve(16, np.empty(0), np.empty(0))],
    ],
)
def test_without_two_values_of_n_that_rise_there_is_no_collapse(curves: list[CopyCurve]) -> None:
    with pytest.raises(NoCollapseError):
        collapse(curves)


def test_rise_times_are_interpolated_in_log_time_and_ignore_a_later_fall() -> None:
    curve = CopyCurve(8, np.array([10.0, 100.0, 1000.0]), np.array([0.0, 0.4, 0.2]))
    assert np.exp(rise_times(curve, np.array([0.2, 0.4]))) == pytest.approx([10**1.5, 100.0])
    assert np.isnan(rise_times(curve, np.array([0.41]))).all()


def test_a_level_passed_before_the_first_point_has_no_time() -> None:
    assert np.isnan(rise_times(CopyCurve(8, np.array([10.0, 20.0]), np.array([0.5, 0.6])), np.array([0.2]))).all()
