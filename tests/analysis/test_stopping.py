"""Policies stop where they must and never on a healthy run, and what they decide rests on settled points alone."""

from collections.abc import Iterator

import numpy as np
import pytest

from tauscope.analysis.stopping import confirmed_warnings, stops, verdict
from tauscope.contracts.points import Point
from tauscope.metrics.intervals import clopper_pearson
from tauscope.specs import ImageDdpmSpec

AT = [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 5120]
N, CONTROL, LOSS, GAP = 384, 1000, "loss_held_out@100", "loss_gap@100"
COPYING, WINDOW = {"name": "copying"}, {"name": "window"}
POLICIES = pytest.mark.parametrize("policy", [COPYING, WINDOW], ids=["copying", "window"])


def spec(policy: dict[str, object], steps: int = 10_000) -> ImageDdpmSpec:
    return ImageDdpmSpec.model_validate({"steps": steps, "stopping": policy})


def share(step: int, metric: str, found: int, count: int) -> Point:
    low, high = clopper_pearson(found, count)
    return Point(step=step, metric=metric, value=found / count, low=low, high=high, count=count)


def mean(step: int, metric: str, value: float, error: float) -> Point:
    return Point(step=step, metric=metric, value=value, low=value - 1.96 * error, high=value + 1.96 * error, count=512)


def recorded(
    copied: list[float], loss: list[float], gap: list[float], *, seed: int | None = None, control: float = 0.0, at: list[int] = AT
) -> list[Point]:
    """A run with these true curves: measured without error, or with the errors of 384 samples and 512 pairs."""
    rng = np.random.default_rng(seed)
    noisy = seed is not None
    held_out = int(rng.binomial(CONTROL, control)) if noisy else round(CONTROL * control)
    points = []
    for step, p, level, distance in zip(at, copied, loss, gap, strict=False):
        points += [
            share(step, "f_mem", int(rng.binomial(N, p)) if noisy else round(N * p), N),
            share(step, "f_mem_control", held_out, CONTROL),
            mean(step, LOSS, level + noisy * rng.normal(0, 0.006), 0.006),
            mean(step, GAP, distance + noisy * rng.normal(0, 0.012), 0.012),
        ]
    return points


def falling(final: float = 0.4) -> list[float]:
    return [final + 0.5 / (1 + step / 30) for step in AT]


COPIES = [0, 0, 0, 0, 0, 0, 0.02, 0.15, 0.4, 0.7]
OVERFITS = [0.7, 0.6, 0.5, 0.45, 0.43, 0.45, 0.5, 0.6, 0.7, 0.8]
WIDENS = [0, 0, 0.02, 0.06, 0.12, 0.25, 0.45, 0.6, 0.75, 0.85]


@pytest.mark.parametrize("control", [0.0, 0.002, 0.02])
@POLICIES
def test_no_policy_ever_stops_a_healthy_run(policy: dict[str, object], control: float) -> None:
    """400 runs each: quality improves and then stays, training and held-out losses agree, samples copy no more than held-out images."""
    healthy = [recorded([control] * 10, falling(), [0.0] * 10, seed=seed, control=control) for seed in range(400)]
    assert not [found for points in healthy if (found := verdict(spec(policy), points))]


@pytest.mark.parametrize("control", [0.0, 0.002, 0.02])
@POLICIES
def test_no_policy_stops_a_healthy_run_whose_checkpoints_all_err_alike(policy: dict[str, object], control: float) -> None:
    """Samples start from the same noise at every checkpoint: at worst one draw is the draw of all, and confirmation confirms nothing."""
    stopped = 0
    for seed in range(2000):
        first = recorded([control], falling(), [0.0], seed=seed, control=control, at=AT[:1])
        alike = [point.model_copy(update={"step": step}) for step in AT[:4] for point in first]
        stopped += verdict(spec(policy), alike) is not None
    assert stopped == 0


def test_an_overfitting_run_that_still_improves_is_not_stopped_in_the_window() -> None:
    better_to_the_end = [0.9 - 0.08 * place for place in range(10)]
    assert not [
        found
        for seed in range(200)
        if (found := verdict(spec(WINDOW), recorded([0.0] * 10, better_to_the_end, [0.05 * place for place in range(10)], seed=seed)))
    ]


def test_the_copying_policy_stops_at_the_second_checkpoint_in_a_row_that_copies_beyond_doubt() -> None:
    found = verdict(spec(COPYING), recorded(COPIES, OVERFITS, WIDENS))
    assert found is not None and (found.policy, found.step) == ("copying", 2560)
    assert found.reason == (
        "stopped by its policy at 2,560: f_mem 154 of 384 (35 to 45 %), control 0 of 1,000 (under 0.4 %);"
        " beyond the control by more than 1.0 % at 95 % at 2 checkpoints in a row"
    )


def test_the_copying_policy_stops_every_run_that_copies_and_within_one_checkpoint_of_where_the_truth_puts_it() -> None:
    """At 1,280 15 % are copied: with 384 samples the lower end lies above 11 %, whatever the draw; at 640 2 % may or may not be told."""
    found = [verdict(spec(COPYING), recorded(COPIES, OVERFITS, WIDENS, seed=seed, control=0.002)) for seed in range(200)]
    assert {item.step for item in found if item} <= {1280, 2560} and all(found)


def test_what_real_images_score_too_is_no_copy() -> None:
    assert verdict(spec(COPYING), recorded([0.3] * 10, OVERFITS, WIDENS, control=0.3)) is None


def test_one_checkpoint_that_copies_is_no_copying_run() -> None:
    assert verdict(spec(COPYING), recorded([0, 0.5, 0, 0.5, 0, 0.5, 0, 0.5, 0, 0.5], OVERFITS, WIDENS)) is None
    assert verdict(spec(COPYING | {"confirmations": 1}), recorded([0, 0.5, 0], OVERFITS, WIDENS)) is not None


def test_the_window_policy_stops_once_quality_is_flat_and_the_losses_part() -> None:
    found = verdict(spec(WINDOW), recorded([0.0] * 10, OVERFITS, WIDENS))
    assert found is not None and found.step == 640
    assert found.reason == (
        "stopped by its policy at 640: quality is flat: loss_held_out@100 0.5 (0.488 to 0.512), and at 2 checkpoints in a row no better"
        " at 95 % than 0.43 (0.418 to 0.442) at 160; warning: relative loss gap at index 100 45 % (43 to 47 %), above 10 %"
    )


def test_copies_are_a_warning_too() -> None:
    found = verdict(spec(WINDOW), recorded(COPIES, OVERFITS, [0.0] * 10))
    assert found is not None and found.step == 2560
    assert "warning: f_mem 154 of 384" in found.reason


def test_a_warning_is_raised_once_settled_checkpoints_in_a_row_confirm_it() -> None:
    points = recorded(COPIES, OVERFITS, WIDENS)
    assert confirmed_warnings(spec({"name": "budget"}), points, settled=320) == {}
    assert set(confirmed_warnings(spec({"name": "budget"}), points, settled=640)) == {"loss_gap"}
    raised = confirmed_warnings(spec({"name": "budget"}), points, settled=2560)
    assert set(raised) == {"loss_gap", "copies"}
    assert raised["copies"].startswith("at 2,560: f_mem") and "control 0 of 1,000" in raised["copies"]


def test_a_healthy_run_raises_no_warning() -> None:
    for seed in range(100):
        points = recorded([0.0] * 10, falling(), [0.0] * 10, seed=seed, control=0.002)
        assert [step for step in AT if confirmed_warnings(spec({"name": "budget"}), points, settled=step)] == []


def test_the_window_policy_stops_before_copying_begins_in_every_recorded_run() -> None:
    found = [verdict(spec(WINDOW), recorded(COPIES, OVERFITS, WIDENS, seed=seed, control=0.002)) for seed in range(200)]
    assert {item.step for item in found if item} <= {160, 320, 640} and all(found)


@POLICIES
def test_what_is_decided_at_a_step_never_depends_on_what_came_after(policy: dict[str, object]) -> None:
    for seed in range(50):
        points = recorded(COPIES, OVERFITS, WIDENS, seed=seed)
        whole = verdict(spec(policy), points)
        assert whole is not None
        for last in AT:
            upto = verdict(spec(policy), [point for point in points if point.step <= last])
            assert upto == (whole if last >= whole.step else None)


@POLICIES
def test_the_order_in_which_points_arrive_changes_nothing(policy: dict[str, object]) -> None:
    points = recorded(COPIES, OVERFITS, WIDENS, seed=1)
    shuffled = [points[place] for place in np.random.default_rng(0).permutation(len(points))]
    assert verdict(spec(policy), shuffled) == verdict(spec(policy), points)


def late(points: list[Point], step: int) -> Iterator[tuple[list[Point], int]]:
    """What is known by and by where the samples of a step come last: the points so far, and up to where they are settled."""
    for last in AT:
        missing = [point for point in points if point.step <= last and not (point.step == step and point.metric.startswith("f_mem"))]
        yield missing, min(last, step - 1)
    yield points, AT[-1]


@pytest.mark.parametrize("step", AT)
@POLICIES
def test_samples_that_come_late_make_a_decision_later_but_no_other(policy: dict[str, object], step: int) -> None:
    points = recorded(COPIES, OVERFITS, WIDENS, seed=3)
    told = [found for known, settled in late(points, step) if (found := verdict(spec(policy), known, settled=settled))]
    assert told and set(told) == {verdict(spec(policy), points)}


def test_a_checkpoint_whose_samples_are_given_up_is_passed_over() -> None:
    points = [point for point in recorded(COPIES, OVERFITS, WIDENS) if not (point.step == 1280 and point.metric.startswith("f_mem"))]
    found = verdict(spec(COPYING), points)
    assert found is not None and found.step == 5120


def test_a_diverged_checkpoint_says_nothing_and_breaks_the_row() -> None:
    points = [
        Point(step=2560, metric="f_mem", value=None, count=N, reason="diverged") if (point.step, point.metric) == (2560, "f_mem") else point
        for point in recorded(COPIES, OVERFITS, WIDENS)
    ]
    assert verdict(spec(COPYING), points) is None


def test_the_budget_is_a_policy_that_never_says_stop() -> None:
    assert verdict(spec({"name": "budget"}), recorded(COPIES, OVERFITS, WIDENS)) is None


def test_at_its_last_step_a_run_is_finished_not_stopped() -> None:
    points = recorded(COPIES, OVERFITS, WIDENS)
    last = spec(COPYING, steps=2560)
    assert not stops(last, verdict(last, points)) and stops(spec(COPYING, steps=2561), verdict(last, points))
