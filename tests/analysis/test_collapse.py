"""The collapse score against curves whose scaling is known."""

import numpy as np
import pytest

from tauscope.analysis.collapse import RISEN, CopyCurve, NoCollapseError, collapse, rise_times

TAU = np.geomspace(5, 5000, 40)


def copying(
    n: int, exponent: float, *, factor: float = 1.0, tau: np.ndarray = TAU, top: float = 0.9, width: float | None = None
) -> CopyCurve:
    """A logistic rise in log tau around 15 n^exponent."""
    return CopyCurve(n, tau, top / (1 + (15 * factor * n**exponent / tau) ** 3), width)


def at_width(n: int, width: float, *, factor: float = 1.0) -> CopyCurve:
    """tau_mem in proportion to n^1.2 / W^0.8."""
    return copying(n, 1.2, factor=factor * (16 / width) ** 0.8, width=width)


@pytest.mark.parametrize("exponent", [0.0, 0.7, 1.0, 1.3])
def test_the_best_exponent_is_the_one_the_curves_were_made_with(exponent: float) -> None:
    found = collapse([copying(n, exponent) for n in (8, 16, 32)])
    assert found.best == pytest.approx([exponent], abs=0.02)


def test_curves_that_scale_exactly_have_score_zero_there_and_one_without_scaling() -> None:
    found = collapse([copying(n, 1.0) for n in (8, 16, 32, 64)])
    assert found.score(0.0) == pytest.approx(1.0)
    assert found.score(*found.best) == pytest.approx(0.0, abs=2e-3)
    assert found.score(0.5) == pytest.approx(0.25, abs=0.01)


def test_the_spread_is_the_deviation_of_log_time_between_curves() -> None:
    found = collapse([copying(8, 0.0), copying(16, 0.0, factor=4.0)])
    assert found.spread(0.0) == pytest.approx(np.log(4.0) / 2, rel=0.02)


def test_a_spread_that_n_does_not_explain_stays_at_the_best_exponent() -> None:
    curves = [copying(n, 1.0, factor=factor) for n in (8, 16, 32) for factor in (0.8, 1.25)]
    found = collapse(curves)
    assert found.best == pytest.approx([1.0], abs=0.02)
    assert found.spread(*found.best) == pytest.approx(np.log(1.25), rel=0.05)


def test_the_interval_over_runs_covers_the_exponent_and_shrinks_with_the_scatter() -> None:
    rng = np.random.default_rng(3)

    def made(scatter: float) -> list[CopyCurve]:
        return [copying(n, 1.1, factor=float(np.exp(scatter * rng.normal()))) for n in (8, 16, 32, 64) for _ in range(3)]

    widths = []
    for found in (collapse(made(0.2)), collapse(made(0.02))):
        (scaling,) = found.scalings
        assert scaling.low is not None and scaling.high is not None
        assert scaling.low - 0.02 < 1.1 < scaling.high + 0.02
        assert "over runs" in found.note
        widths.append(scaling.high - scaling.low)
    assert widths[0] > 3 * widths[1]


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
    assert found.best == pytest.approx([1.0], abs=0.03)


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


def test_over_n_and_w_both_exponents_are_found_at_once_and_the_score_is_zero_at_both_alone() -> None:
    found = collapse([at_width(n, width) for n in (8, 16, 32) for width in (8, 16, 32)], ("n", "width"))
    assert found.best == pytest.approx([1.2, -0.8], abs=0.02)
    assert [scaling.variable for scaling in found.scalings] == ["n", "width"]
    assert found.score(0, 0) == pytest.approx(1.0)
    assert found.score(1.2, -0.8) == pytest.approx(0.0, abs=2e-3)
    # n and W are crossed over the same range, so each part of the spread is what its exponent explains.
    assert found.score(1.2, 0) == pytest.approx(0.8**2 / (1.2**2 + 0.8**2), abs=0.02)


def test_over_w_alone_curves_fall_together_over_w_tau() -> None:
    found = collapse([at_width(16, width) for width in (8, 16, 32)], ("width",))
    assert found.best == pytest.approx([-0.8], abs=0.02)
    assert "one run at some W" in found.note


def test_the_jackknife_asks_for_two_runs_of_every_setting_of_n_and_w() -> None:
    once = [at_width(n, width) for n in (8, 16) for width in (8, 16)]
    assert "one run at some n and W" in collapse(once, ("n", "width")).note
    twice = collapse([*once, *[at_width(n, width, factor=1.1) for n in (8, 16) for width in (8, 16)]], ("n", "width"))
    assert twice.note == "jackknife over runs"
    for scaling, truth in zip(twice.scalings, (1.2, -0.8), strict=True):
        assert scaling.low is not None and scaling.high is not None
        assert scaling.low < truth < scaling.high


def test_n_and_w_that_change_together_cannot_be_told_apart() -> None:
    with pytest.raises(NoCollapseError, match="n and W change together"):
        collapse([at_width(8, 8), at_width(16, 16), at_width(32, 32)], ("n", "width"))


def test_what_is_missing_is_named() -> None:
    with pytest.raises(NoCollapseError, match="rise to 20 % at two values of W"):
        collapse([at_width(n, 16) for n in (8, 16, 32)], ("n", "width"))
