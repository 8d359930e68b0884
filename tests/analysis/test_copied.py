"""Copies by training image: cases done by hand, the chance level against simulation, the correlation against SciPy and known truths."""

import numpy as np
import pytest
from scipy.stats import binom, spearmanr

from tauscope.analysis.chance import rank_correlation, uniform_copying
from tauscope.analysis.copied import (
    FEWEST_IMAGES,
    CopyRecord,
    SampledCheckpoint,
    copied_images,
    count_copies,
    unmeasured_steps,
)
from tauscope.analysis.typicality import Distinct, Typicality
from tauscope.contracts.copied import UnmeasuredStep
from tauscope.metrics.intervals import clopper_pearson


def distinct(*equal: int) -> Distinct:
    """Images stored so many times each, one group after the other."""
    starts = np.concatenate([[0], np.cumsum(equal)[:-1]])
    return Distinct(starts, np.array(equal), int(sum(equal)))


def at(step: int, **copied: int | None) -> SampledCheckpoint:
    """Four samples: ``s0=5`` is a copy of image 5; the others are near image 0 and no copies."""
    nearest = [copied.get(f"s{seed}") for seed in range(4)]
    is_copy = np.array([image is not None for image in nearest])
    return SampledCheckpoint(step, np.array([image or 0 for image in nearest]), np.where(is_copy, 0.1, 0.9), is_copy)


def typicality(distances: list[float]) -> Typicality:
    nothing = np.zeros(len(distances), dtype=np.int64)
    return Typicality(nothing, np.array(distances), nothing, nothing, 100)


@pytest.fixture
def record() -> CopyRecord:
    """Images 0, 1 (stored twice, also as 2) and 3; nothing at 10, image 1 by two seeds at 20, and by one of them and 3 at 30."""
    found = distinct(1, 2, 1)
    checkpoints = [at(10), at(20, s0=1, s2=1), at(30, s0=1, s1=3, s3=3)]
    return count_copies("run", checkpoints, found, typicality([0.5, 0.2, 0.9]))


def test_every_image_has_its_copies_at_each_checkpoint_its_seeds_and_when_it_was_first_copied(record: CopyRecord) -> None:
    view = copied_images(record, 30)
    assert [item.image for item in view.items] == [3, 1, 0], "the most copied first; a repeat is not listed by itself"
    three, one, none = view.items
    assert (three.copies, three.copies_by_step, three.seeds, three.first_copied_at, three.not_copied_at) == (2, (0, 0, 2), 2, 30, 20)
    assert (one.copies, one.copies_by_step, one.seeds, one.first_copied_at, one.not_copied_at) == (1, (0, 2, 1), 2, 20, 10)
    assert (none.copies, none.seeds, none.first_copied_at, none.not_copied_at) == (0, 0, None, None)
    assert (view.n_copies, view.n_generated, view.n_copied, view.n_copied_ever, view.n_train, view.n_distinct) == (3, 4, 2, 2, 4, 3)


def test_a_seed_that_copies_an_image_at_many_checkpoints_counts_once_and_one_that_copies_two_counts_for_both() -> None:
    checkpoints = [at(1, s0=0), at(2, s0=0), at(3, s0=1)]
    found = count_copies("run", checkpoints, distinct(1, 1), None, typicality_missing="too large")
    assert found.seeds.tolist() == [1, 1]


def test_an_image_copied_at_the_first_checkpoint_has_none_before_it() -> None:
    found = count_copies("run", [at(10, s1=1)], distinct(1, 1), None, typicality_missing="too large")
    first = copied_images(found, 10).items[0]
    assert (first.image, first.first_copied_at, first.not_copied_at) == (1, 10, None)


def test_shares_have_clopper_pearson_intervals_and_zero_is_no_certainty(record: CopyRecord) -> None:
    for item in copied_images(record, 30).items:
        assert (item.share, item.low, item.high) == (item.copies / 4, *clopper_pearson(item.copies, 4))
    assert copied_images(record, 30).items[-1].high > 0.6


def test_an_image_that_is_stored_twice_is_expected_twice_as_often(record: CopyRecord) -> None:
    expected = {item.image: item.expected for item in copied_images(record, 30).items}
    assert expected == {0: 0.75, 1: 1.5, 3: 0.75}


def test_typicality_comes_with_its_rank_and_the_control(record: CopyRecord) -> None:
    items = {item.image: item for item in copied_images(record, 30).items}
    assert {image: (item.nearest_distance, item.typicality_rank) for image, item in items.items()} == {
        0: (0.5, 2),
        1: (0.2, 1),
        3: (0.9, 3),
    }
    assert all(item.held_out_copies == 0 for item in items.values())
    assert (copied_images(record, 30).n_held_out, copied_images(record, 30).n_held_out_copies) == (100, 0)


def test_without_typicality_everything_else_is_told_and_why_it_is_missing() -> None:
    found = count_copies("run", [at(10, s1=1)], distinct(1, 1), None, typicality_missing="too large")
    view = copied_images(found, 10)
    assert (view.typicality_missing, view.typicality.value, view.typicality.reason) == ("too large", None, "too large")
    assert (view.n_held_out, view.items[0].nearest_distance, view.items[0].copies) == (None, None, 1)


def test_pages_and_one_image_alone(record: CopyRecord) -> None:
    assert [item.image for item in copied_images(record, 30, offset=1, limit=1).items] == [1]
    assert copied_images(record, 30, offset=1, limit=1).total == 3
    assert [item.image for item in copied_images(record, 30, image=0).items] == [0]
    assert copied_images(record, 30, image=2).total == 0, "a repeat stands under the first of its group"


def test_no_checkpoint_is_no_record() -> None:
    with pytest.raises(ValueError, match="no checkpoint is measured"):
        count_copies("run", [], distinct(1, 1), None)


def test_a_step_that_is_not_measured_is_refused(record: CopyRecord) -> None:
    with pytest.raises(ValueError):
        copied_images(record, 25)


def test_checkpoints_without_samples_are_told_apart() -> None:
    waiting = UnmeasuredStep(step=20, state="waiting", reason="its worker fell silent")
    found = unmeasured_steps((5, 10, 20, 30, 40), 30, (5, 10), (waiting, UnmeasuredStep(step=10, state="waiting", reason="")))
    assert [(item.step, item.state, item.reason) for item in found] == [
        (20, "waiting", "its worker fell silent"),
        (30, "not_sampled", "no samples are stored of this step"),
        (40, "not_sampled", "training has not come this far"),
    ]


@pytest.mark.parametrize(("n_copies", "n_train"), [(0, 64), (1, 64), (230, 64), (84, 8), (9000, 1024)])
def test_the_range_of_uniform_copying_is_that_of_a_binomial_count(n_copies: int, n_train: int) -> None:
    found = uniform_copying(n_copies, distinct(*[1] * n_train))
    assert found.expected == pytest.approx(n_copies / n_train)
    assert (found.low, found.high) == tuple(binom.ppf([0.025, 0.975], n_copies, 1 / n_train).astype(int))


@pytest.mark.parametrize("equal", [(1,) * 64, (1,) * 30 + (2,) * 10 + (8,)])
def test_at_most_one_uniform_draw_in_twenty_exceeds_the_bound_on_the_most_copied(equal: tuple[int, ...]) -> None:
    images = distinct(*equal)
    found = uniform_copying(230, images)
    draws = np.random.default_rng(1).multinomial(230, images.equal / images.n_train, size=20_000)
    exceeded = (draws.max(1) > found.most).mean()
    assert exceeded < 0.05 + 3 * (0.05 * 0.95 / 20_000) ** 0.5  # Three standard errors of the simulation.
    assert (draws.max(1) > found.most - 2).mean() > 0.05, "and it is not far above what is needed"


def test_the_correlation_is_spearmans_with_ties() -> None:
    generator = np.random.default_rng(2)
    copies, distances = generator.poisson(1.0, 80).astype(float), generator.normal(size=80)
    value, low, high = rank_correlation(copies, distances)
    assert value == pytest.approx(float(spearmanr(copies, distances).statistic))
    assert -1 < low < value < high < 1


@pytest.mark.parametrize("latent", [0.0, 0.5])
@pytest.mark.parametrize(("images", "mean"), [(32, 3.0), (200, 0.5)])
def test_the_interval_of_the_correlation_holds_its_promise_for_counts_full_of_ties(latent: float, images: int, mean: float) -> None:
    def draw(generator: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
        distance, other = generator.normal(size=(2, count))
        mixed = latent * distance + (1 - latent**2) ** 0.5 * other
        return generator.poisson(mean * np.exp(0.7 * mixed)).astype(float), distance

    truth = float(spearmanr(*draw(np.random.default_rng(3), 400_000)).statistic)
    generator = np.random.default_rng(4)
    intervals = [rank_correlation(*draw(generator, images))[1:] for _ in range(1500)]
    covered = np.mean([low <= truth <= high for low, high in intervals])
    # Of 1,500 intervals of 95 %, three standard errors are 1.7 %.
    assert covered > 0.95 - 0.017


def test_a_correlation_needs_enough_images_and_copies_that_differ() -> None:
    def reason(n: int, counts: list[int], distances: list[float]) -> str:
        checkpoint = SampledCheckpoint(1, np.repeat(np.arange(n), counts), np.zeros(sum(counts)), np.ones(sum(counts), dtype=bool))
        found = copied_images(count_copies("run", [checkpoint], distinct(*[1] * n), typicality(distances)), 1).typicality
        assert (found.value is None) == bool(found.reason)
        return found.reason

    enough = FEWEST_IMAGES
    rising = [float(i) for i in range(enough)]
    assert "too few" in reason(enough - 1, [1] * (enough - 2) + [2], rising[:-1])
    assert reason(enough, [2] * enough, rising) == "all images are copied equally often"
    assert reason(enough, [1] * (enough - 1) + [2], [1.0] * enough) == "all images are equally far from their nearest other"
    assert reason(enough, [1] * (enough - 1) + [2], rising) == ""


def test_copies_of_an_image_that_is_stored_twice_count_half_each_in_the_correlation() -> None:
    n = 12
    weights = [2] * 6 + [1] * 6
    images = distinct(*weights)
    checkpoint = SampledCheckpoint(1, np.repeat(images.image, [2 * w for w in weights]), np.zeros(36), np.ones(36, dtype=bool))
    checkpoint.nearest[0] = images.image[-1]
    found = copied_images(count_copies("run", [checkpoint], images, typicality([float(i) for i in range(n)])), 1).typicality
    # Per stored image all but two are copied twice: nothing but these two can be correlated with the distance.
    expected = spearmanr([1.5] + [2.0] * 10 + [3.0], range(n)).statistic
    assert found.value == pytest.approx(float(expected))


def test_samples_at_one_distance_of_every_image_show_that_the_rule_favours_images_that_stand_alone() -> None:
    """Every image is approached alike; the gap ratio calls only the lonelier half copied, and distance alone all of them alike."""
    n, each = 20, 30
    loneliness = np.linspace(1.0, 3.0, n)
    generator = np.random.default_rng(5)
    nearest, distance = np.repeat(np.arange(n), each), generator.uniform(0.1, 1.0, n * each)
    is_copy = distance < loneliness[nearest] / 4  # Where d2 is the distance to the nearest other image, less d1.
    found = copied_images(
        count_copies("run", [SampledCheckpoint(1, nearest, distance, is_copy)], distinct(*[1] * n), typicality(list(loneliness))), 1
    )
    by_rule, by_distance = found.typicality, found.typicality_by_distance
    assert by_rule.low is not None and by_rule.low > 0.7
    assert by_distance.low is not None and by_distance.high is not None and by_distance.low < 0 < by_distance.high


def test_the_samples_taken_by_distance_are_as_many_as_the_copies() -> None:
    checkpoint = SampledCheckpoint(1, np.array([0, 1, 1, 0]), np.array([0.4, 0.1, 0.3, 0.2]), np.array([True, False, True, False]))
    found = count_copies("run", [checkpoint], distinct(1, 1), None, typicality_missing="too large")
    assert (found.copies.tolist(), found.closest.tolist()) == ([[1, 1]], [[1, 1]])
    assert count_copies("run", [at(1)], distinct(1, 1), None).closest.tolist() == [[0, 0]]
