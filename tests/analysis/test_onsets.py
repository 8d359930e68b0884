"""Onsets: intervals that cover, states that are honest, and no number for what was not reached."""

import pytest
from pydantic import ValidationError

from tauscope.analysis.onsets import tau_gen, tau_mem
from tauscope.contracts.onsets import Onset, OnsetStatus
from tauscope.contracts.points import Point
from tauscope.metrics.intervals import clopper_pearson

GRID = [round(5 * 480 ** (k / 14)) for k in range(15)]  # 5 to 2,400, as in the demo


def share_point(step: int, successes: int, trials: int = 384, metric: str = "f_mem") -> Point:
    low, high = clopper_pearson(successes, trials)
    return Point(step=step, metric=metric, value=successes / trials, low=low, high=high, count=trials)


def copies(counts: list[int], *, control: int = 0) -> list[Point]:
    curve = [share_point(step, count) for step, count in zip(GRID, counts, strict=False)]
    return [*curve, share_point(GRID[0], control, 1000, "f_mem_control")]


def losses(values: list[float], *, half: float = 0.01) -> list[Point]:
    return [
        Point(step=step, metric="loss_held_out@100", value=v, low=v - half, high=v + half, count=512)
        for step, v in zip(GRID, values, strict=False)
    ]


def test_a_clear_crossing_is_reached_inside_its_bracketing_checkpoints() -> None:
    onset = tau_mem(copies([0] * 10 + [10, 190, 300, 300, 300]), 0.25)
    assert onset.status is OnsetStatus.REACHED
    assert onset.value is not None
    assert onset.low == GRID[10] < onset.value < GRID[11] == onset.high


def test_interpolation_is_linear_in_log_tau() -> None:
    onset = tau_mem(copies([0] * 10 + [0, 192, 300, 300, 300]), 0.25)  # 0 to 0.5: the level is met half way
    assert onset.value == pytest.approx((GRID[10] * GRID[11]) ** 0.5)


def test_a_run_that_never_copies_is_censored_with_no_upper_end() -> None:
    onset = tau_mem(copies([0] * 15), 0.25)
    assert (onset.status, onset.value, onset.high) == (OnsetStatus.CENSORED, None, None)
    assert onset.low == GRID[-1]
    assert onset.reason == "not by 2,400"


def test_a_censored_run_whose_last_point_is_uncertain_keeps_the_earlier_cell() -> None:
    onset = tau_mem(copies([0] * 14 + [90]), 0.25)  # 23 %, its interval holds 25 %
    assert onset.status is OnsetStatus.CENSORED
    assert onset.low == GRID[-2]


def test_one_point_above_the_level_is_no_sustained_crossing() -> None:
    counts = [0] * 15
    counts[7] = 120
    assert tau_mem(copies(counts), 0.25).status is OnsetStatus.CENSORED


def test_a_crossing_at_the_last_point_alone_needs_its_interval_above_the_level() -> None:
    assert tau_mem(copies([0] * 14 + [100]), 0.25).status is OnsetStatus.CENSORED
    assert tau_mem(copies([0] * 14 + [200]), 0.25).status is OnsetStatus.REACHED


def test_a_run_above_the_level_from_the_start_says_so_without_a_value() -> None:
    onset = tau_mem(copies([300] * 15), 0.25)
    assert (onset.status, onset.value, onset.low, onset.high) == (OnsetStatus.BEFORE_FIRST, None, 0, GRID[0])


def test_the_control_is_subtracted() -> None:
    counts = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 60, 110, 150, 300, 300]
    without, with_control = tau_mem(copies(counts), 0.25), tau_mem(copies(counts, control=100), 0.25)
    assert without.value is not None
    assert with_control.value is not None
    assert with_control.value > without.value


def test_without_a_control_there_is_no_onset() -> None:
    onset = tau_mem([share_point(step, 384) for step in GRID], 0.25)
    assert onset.status is OnsetStatus.UNDEFINED
    assert "control" in onset.reason


def test_no_measurement_is_undefined_not_zero() -> None:
    assert tau_mem([], 0.25).status is OnsetStatus.UNDEFINED
    assert tau_gen([], "loss_held_out@100", 0.55).status is OnsetStatus.UNDEFINED


def test_quality_that_returns_above_its_level_later_was_still_reached() -> None:
    """The held-out loss rises again once copying starts; that does not undo tau_gen."""
    onset = tau_gen(losses([0.7, 0.65, 0.6, 0.57, 0.5, 0.45, 0.44, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2]), "loss_held_out@100", 0.55)
    assert onset.status is OnsetStatus.REACHED
    assert onset.low == GRID[3]
    assert onset.high == GRID[4]


def test_quality_never_reached_says_by_which_step() -> None:
    onset = tau_gen(losses([0.7] * 15), "loss_held_out@100", 0.55)
    assert onset.value is None
    assert onset.reason == "quality never reached by 2,400"


def test_quality_that_turned_worse_before_its_level_is_censored_at_the_last_measurement() -> None:
    onset = tau_gen(losses([0.7, 0.65, 0.62, 0.6, 0.59, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5]), "loss_held_out@100", 0.55)
    assert (onset.status, onset.low, onset.high) == (OnsetStatus.CENSORED, GRID[-1], None)


def test_a_diverged_point_is_left_out_not_counted() -> None:
    points = copies([0] * 10 + [10, 190, 300, 300])
    points.append(Point(step=GRID[-1], metric="f_mem", value=None, count=384, reason="diverged"))
    assert tau_mem(points, 0.25) == tau_mem(points[:-1], 0.25)


def test_an_onset_that_was_not_reached_cannot_carry_a_value() -> None:
    with pytest.raises(ValidationError, match="exactly when it was reached"):
        Onset(value=450.0, low=450, high=None, status=OnsetStatus.CENSORED, metric="f_mem", level=0.25)
    with pytest.raises(ValidationError, match="exactly when it was reached"):
        Onset(value=None, low=1, high=2, status=OnsetStatus.REACHED, metric="f_mem", level=0.25)


def test_a_dense_grid_narrows_the_interval() -> None:
    """The width is the grid's where the samples are many, so denser checkpoints buy precision."""

    def width(grid: list[int]) -> float:
        points = [share_point(grid[0], 0, 1000, "f_mem_control")]
        points += [share_point(step, round(10_000 / (1 + (600 / step) ** 4)), 10_000) for step in grid]
        onset = tau_mem(points, 0.25)
        assert onset.low
        assert onset.high
        return onset.high / onset.low

    assert width([round(5 * 480 ** (k / 59)) for k in range(60)]) < 1.3 < width(GRID)
