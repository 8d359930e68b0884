"""The training set by itself: repeats merged, the nearest other image, held-out images among them."""

import numpy as np
import pytest

from tauscope.analysis.typicality import Distinct, comparisons, measure_typicality
from tauscope.results.verify import brute_force_two_nearest


def on_a_line(*places: float) -> np.ndarray:
    """Images of one pixel."""
    return np.array(places, dtype=np.float32).reshape(-1, 1, 1, 1)


def test_equal_images_are_one_named_by_the_first_and_zero_has_no_sign() -> None:
    found = Distinct.of(on_a_line(0.5, 0.0, 0.5, -0.0, 1.0))
    assert (found.image.tolist(), found.equal.tolist(), found.n_train) == ([0, 1, 4], [2, 2, 1], 5)


def test_the_nearest_other_image_and_its_rank_in_a_case_done_by_hand() -> None:
    train = on_a_line(0.0, 0.1, 0.1, 0.5, 1.0)
    found = measure_typicality(train, Distinct.of(train))
    assert found.nearest.tolist() == [1, 0, 1, 3]
    assert found.distance == pytest.approx([0.1, 0.1, 0.4, 0.5])
    assert found.rank.tolist() == [1, 1, 3, 4], "equal distances share a rank"
    assert found.n_held_out is None and not found.held_out_nearest.any()


def test_held_out_images_are_counted_where_they_are_nearest_and_as_copies_below_a_third() -> None:
    train = on_a_line(0.0, 1.0, 3.0)
    # 0.3 is 0.3 from 0 and 0.7 from 1: no copy. 0.2 is a copy of 0, 2.9 one of 3.
    found = measure_typicality(train, Distinct.of(train), on_a_line(0.3, 0.2, 2.9, 1.1))
    assert found.held_out_nearest.tolist() == [2, 1, 1]
    assert found.held_out_copies.tolist() == [1, 1, 1]
    assert found.n_held_out == 4


def test_it_agrees_with_brute_force_over_several_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tauscope.analysis.typicality._BLOCK_ELEMENTS", 1000)
    images = np.random.default_rng(0).integers(0, 3, (150, 1, 2, 3)).astype(np.float32) / 255
    train, held_out = images[:120], images[120:] + np.float32(0.001)
    distinct = Distinct.of(train)
    assert len(distinct.image) < 120
    found = measure_typicality(train, distinct, held_out)
    for place, index in enumerate(distinct.image):
        # Among all the others the nearest is the second-nearest of the image itself.
        distances, nearest = brute_force_two_nearest(train[[index]], train)
        assert found.distance[place] == distances[0, 1]
        assert found.distance[place] == pytest.approx(float(np.linalg.norm(train[found.nearest[place]] - train[index])), rel=1e-5)
        assert nearest[0, 0] == index
    distances, nearest = brute_force_two_nearest(held_out, train)
    unique = distances[:, 0] < distances[:, 1]  # Of two at the same distance either may come first.
    counted = np.bincount(np.searchsorted(distinct.image, nearest[unique, 0]), minlength=len(distinct.image))
    assert (found.held_out_nearest >= counted).all() and found.held_out_nearest.sum() == 30


def test_a_training_set_of_one_image_has_no_nearest_other() -> None:
    train = on_a_line(0.2, 0.2)
    with pytest.raises(ValueError, match="all training images are equal"):
        measure_typicality(train, Distinct.of(train))


def test_the_cost_is_that_of_comparing_every_image_with_every_training_image() -> None:
    assert comparisons((100, 1, 4, 4), (50, 1, 4, 4)) == 150 * 100 * 16
    assert comparisons((100, 3, 2, 2), None) == 100 * 100 * 12
