"""What a policy would have saved is judged by what came after, and what it keeps by what was known when it stopped."""

import pytest

from tauscope.analysis.hindsight import hindsight
from tauscope.contracts.hindsight import Hindsight
from tauscope.contracts.points import Point
from tauscope.specs.stopping import BudgetPolicy, CopyingPolicy, Stopping, WindowPolicy
from tests.analysis.test_stopping import AT, COPIES, LOSS, OVERFITS, WIDENS, mean, recorded, spec


def judged(policy: Stopping, points: list[Point]) -> Hindsight:
    return hindsight(spec({"name": "budget"}), points, policy, run="a", label="n_train=32")


def test_the_share_saved_counts_the_steps_after_the_stop() -> None:
    found = judged(WindowPolicy(), recorded(COPIES, OVERFITS, WIDENS))
    assert found.stopped_at is not None and found.trained == AT[-1]
    assert found.saved == pytest.approx(1 - found.stopped_at / AT[-1])
    assert found.in_time and found.tau_mem.value is not None and found.stopped_at < found.tau_mem.value
    assert found.f_mem is not None and found.f_mem.step == found.stopped_at
    assert f"at {found.stopped_at:,}" in found.reason


def test_what_is_kept_rests_on_what_was_known_at_the_stop() -> None:
    points = recorded(COPIES, OVERFITS, WIDENS)
    found = judged(WindowPolicy(), points)
    assert found.stopped_at is not None
    # The same run in a world where everything after the stop is different.
    other = [
        point.model_copy(update={"value": 0.01, "low": 0.0, "high": 0.02}) if point.step > found.stopped_at else point for point in points
    ]
    changed = judged(WindowPolicy(), other)
    assert (changed.stopped_at, changed.kept) == (found.stopped_at, found.kept)
    assert found.kept.step is not None and found.kept.step <= found.stopped_at


def test_a_quality_that_would_still_have_got_better_is_a_cost() -> None:
    quality = [0.7, 0.6, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.2, 0.2]
    found = judged(WindowPolicy(), recorded([0] * 10, quality, WIDENS))
    assert found.stopped_at is not None and found.stopped_at < AT[8]
    assert found.best_later is not None and found.best_later.step == AT[8]
    assert found.cost is not None and found.cost.low > 0 and found.cost.value == pytest.approx(0.3)


def test_equal_quality_is_told_as_no_difference_with_an_interval_that_holds_zero() -> None:
    found = judged(WindowPolicy(), recorded([0] * 10, [0.7, 0.6, *[0.5] * 8], WIDENS))
    assert found.cost is not None and found.cost.low < 0 < found.cost.high


def test_a_better_quality_after_copying_began_is_no_cost() -> None:
    """A copier's held-out quality may go on improving by another metric; no such checkpoint would be kept."""
    quality = [0.7, 0.6, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.1, 0.1]
    found = judged(CopyingPolicy(), recorded(COPIES, quality, WIDENS))
    assert found.stopped_at is not None and found.in_time is False
    assert found.best_later is None and found.cost is None


@pytest.mark.parametrize("policy", [BudgetPolicy(), CopyingPolicy()])
def test_a_run_that_the_policy_never_stops_saves_nothing(policy: Stopping) -> None:
    found = judged(policy, recorded([0] * 10, OVERFITS, WIDENS))
    assert (found.stopped_at, found.saved, found.in_time, found.cost) == (None, None, None, None)
    assert found.kept.step is not None


def test_a_stop_at_the_last_step_taken_stops_nothing() -> None:
    points = recorded(COPIES, OVERFITS, WIDENS)
    stop = judged(WindowPolicy(), points).stopped_at
    assert stop is not None
    until = [point for point in points if point.step <= stop]
    assert judged(WindowPolicy(), until).stopped_at is None


def test_a_run_without_points_says_so() -> None:
    found = judged(WindowPolicy(), [])
    assert (found.trained, found.stopped_at, found.kept.step) == (0, None, None)
    assert "not measured" in found.tau_mem.reason


def test_values_without_an_interval_give_no_difference() -> None:
    points = recorded([0] * 10, [0.7, 0.6, *[0.5] * 8], WIDENS)
    bare = [p.model_copy(update={"low": None, "high": None}) if p.metric == LOSS and p.step > 1000 else p for p in points]
    bare = [p for p in bare if p.metric != LOSS or not 100 < p.step < 1000] + [mean(160, LOSS, 0.5, 0.006), mean(320, LOSS, 0.5, 0.006)]
    found = judged(WindowPolicy(), bare)
    assert found.cost is None
