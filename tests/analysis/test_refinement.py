"""Which checkpoint an adaptive schedule samples next: inside the intervals, by the points alone, and never beyond what was allowed."""

from random import Random

import pytest
from pydantic import ValidationError

from tauscope.analysis.refinement import next_refinement, refined_words
from tauscope.analysis.summary import summarize_points
from tauscope.contracts.points import Point
from tauscope.metrics.intervals import clopper_pearson
from tauscope.specs import ImageDdpmSpec, SpecError
from tauscope.specs.schedule import Adaptive, LogSpaced

STEPS = 2400
SAVED = Adaptive(count=8, checkpoints=61).saved(STEPS)


def spec(**schedule: object) -> ImageDdpmSpec:
    return ImageDdpmSpec.model_validate(
        {
            "steps": STEPS,
            "measurement": {"schedule": {"kind": "adaptive"} | schedule},
            "onsets": {"tau_gen": {"metric": "frechet_pca", "level": 3.0}, "tau_mem": {"metric": "f_mem", "level": 0.25}},
        }
    )


def samples(step: int, *, copies_from: float = 700.0, good_from: float = 40.0) -> list[Point]:
    """Of 10,000 samples: no noise to speak of, so that the grid alone decides how narrow an interval is."""
    copied = round(10_000 / (1 + (copies_from * 3**0.25 / step) ** 4))
    low, high = clopper_pearson(copied, 10_000)
    distance = 3.0 * (good_from / step) ** 0.5
    return [
        Point(step=step, metric="f_mem", value=copied / 10_000, low=low, high=high, count=10_000),
        Point(step=step, metric="f_mem_control", value=0.0, low=0.0, high=0.0004, count=10_000),
        Point(step=step, metric="frechet_pca", value=distance, low=distance * 0.99, high=distance * 1.01, count=10_000),
    ]


def measured(wanted: ImageDdpmSpec, **truth: float) -> list[Point]:
    """What the coarse checkpoints show."""
    return [point for step in wanted.measurement.schedule.steps(STEPS) for point in samples(step, **truth)]


def refine(wanted: ImageDdpmSpec, points: list[Point], **truth: float) -> list[int]:
    """Sample what is asked for until nothing is; the steps in the order of the answers."""
    taken = []
    while (found := next_refinement(wanted, points)) is not None:
        taken.append(found.step)
        points += samples(found.step, **truth)
    return taken


def test_further_checkpoints_lie_inside_the_coarse_intervals_until_both_are_within_the_target() -> None:
    points = measured(wanted := spec())
    before = summarize_points(wanted, points)[0]
    taken = refine(wanted, points)
    after = summarize_points(wanted, points)[0]
    assert all(any((onset.low or 0) < step < (onset.high or 0) for onset in before.values()) for step in taken)
    for name, truth in (("tau_gen", 40.0), ("tau_mem", 700.0)):
        low, high = after[name].low, after[name].high
        assert low is not None and high is not None
        assert high / low <= 1.25 and low <= truth <= high


def test_the_first_further_checkpoint_halves_the_widest_cell_in_log_tau() -> None:
    wanted = spec()
    found = next_refinement(wanted, measured(wanted))
    assert found is not None and found.high is not None
    middle = (found.low * found.high) ** 0.5
    assert found.step == min(SAVED, key=lambda step: abs(step / middle - 1))


def test_the_same_steps_are_sampled_in_whatever_order_the_points_are_held() -> None:
    """A database gives them by metric and step, a folder as they came."""
    wanted = spec()
    points = measured(wanted)
    in_order = refine(wanted, list(points))
    shuffled = list(points)
    taken = []
    while (found := next_refinement(wanted, shuffled)) is not None:
        taken.append(found.step)
        shuffled += samples(found.step)
        Random(len(taken)).shuffle(shuffled)
    assert taken == in_order


def test_a_budget_is_not_exceeded() -> None:
    points = measured(wanted := spec(budget=2))
    assert len(refine(wanted, points)) == 2
    assert "the budget is spent" in refined_words(wanted, points)


def test_without_saved_steps_left_inside_it_ends() -> None:
    points = measured(wanted := spec(checkpoints=12, target=1.01, budget=50))
    taken = refine(wanted, points)
    assert 0 < len(taken) < 12
    assert "no saved checkpoint is left" in refined_words(wanted, points)


def test_an_onset_that_was_not_reached_asks_for_nothing() -> None:
    points = measured(wanted := spec(), copies_from=1e6, good_from=1e6)
    assert next_refinement(wanted, points) is None
    assert refined_words(wanted, points) == "0 further checkpoints of at most 8 sampled; no onset was reached"


def test_a_level_of_the_loss_which_is_known_at_every_saved_step_draws_no_samples() -> None:
    wanted = spec().model_copy(update={"onsets": ImageDdpmSpec().onsets})
    losses = [Point(step=step, metric="loss_held_out@100", value=0.9 * (step / 5) ** -0.2, low=0.1, high=1.0, count=512) for step in SAVED]
    points = [point for point in measured(wanted, copies_from=1e6) if point.metric != "frechet_pca"]
    assert summarize_points(wanted, points + losses)[0]["tau_gen"].value is not None
    assert next_refinement(wanted, points + losses) is None


def test_a_step_whose_samples_came_to_nothing_counts_and_is_not_asked_for_again() -> None:
    points = measured(wanted := spec())
    first = next_refinement(wanted, points)
    assert first is not None
    points.append(Point(step=first.step, metric="f_mem", value=None, count=32, reason="samples are not finite"))
    second = next_refinement(wanted, points)
    assert second is not None
    assert (second.step != first.step, second.taken) == (True, 1)


def test_other_schedules_and_runs_without_samples_are_never_refined() -> None:
    points = measured(spec())
    for wanted in (ImageDdpmSpec(steps=STEPS), spec().model_copy(update={"only_index": 100})):
        assert next_refinement(wanted, points) is None


def test_the_words_name_the_onset_its_ends_and_the_budget() -> None:
    found = next_refinement(wanted := spec(), measured(wanted))
    assert found is not None
    assert found.words == (
        "refines tau_mem (411 to 994, a factor of 2.42): draws the samples of step 630, 1 of at most 8 further checkpoints"
    )


def test_coarse_steps_are_those_of_a_log_spaced_schedule_and_are_among_the_saved_ones() -> None:
    schedule = Adaptive(first=5, count=8, checkpoints=61)
    assert schedule.steps(STEPS) == LogSpaced(first=5, count=8).steps(STEPS)
    assert set(schedule.steps(STEPS)) < set(schedule.saved(STEPS))
    assert schedule.most(STEPS) == 16
    assert LogSpaced(count=8).saved(STEPS) == LogSpaced(count=8).steps(STEPS)
    assert Adaptive(budget=1000).most(STEPS) == len(schedule.saved(STEPS))


@pytest.mark.parametrize(
    ("schedule", "told"),
    [
        ({"count": 8, "checkpoints": 8}, "Save more than count"),
        ({"target": 1.0}, "greater than 1"),
        ({"budget": 0}, "greater than or equal to 1"),
    ],
)
def test_a_schedule_that_could_refine_nothing_is_refused(schedule: dict[str, object], told: str) -> None:
    assert told in refused({"schedule": {"kind": "adaptive"} | schedule})


def test_further_losses_have_fixed_steps() -> None:
    assert "measurement.loss_schedule" in refused({"loss_schedule": {"kind": "adaptive"}})


def refused(measurement: dict[str, object]) -> str:
    with pytest.raises(ValidationError) as caught:
        ImageDdpmSpec.model_validate({"measurement": measurement})
    return str(SpecError.from_validation(caught.value))
