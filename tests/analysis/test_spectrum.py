"""When each band is learnt: at the linear filter's error, sustained, with its interval; never where there is no filter."""

import pytest

from tauscope.analysis.spectrum import learnt
from tauscope.contracts.onsets import OnsetStatus
from tauscope.contracts.points import Point

STEPS = (2, 4, 8, 16, 32, 64)


def error(band: int, values: tuple[float, ...], *, kind: str = "band", name: str = "held_out") -> list[Point]:
    metric = f"error_{kind}_{name}@100:{band}"
    if name == "linear":
        return [Point(step=step, metric=metric, value=value, count=1000) for step, value in zip(STEPS, values, strict=True)]
    return [Point(step=step, metric=metric, value=v, low=0.98 * v, high=1.02 * v, count=256) for step, v in zip(STEPS, values, strict=True)]


def test_a_band_is_learnt_where_its_error_comes_down_to_the_filters_and_stays() -> None:
    fast, slow, never = (0.9, 0.3, 0.2, 0.1, 0.1, 0.1), (4.0, 2.0, 1.4, 0.9, 0.4, 0.4), (9.0, 7.0, 5.0, 4.0, 3.0, 2.0)
    points = [*error(2, never), *error(1, slow), *error(0, fast)]
    for band, level in ((0, 0.5), (1, 0.6), (2, 0.9)):
        points += error(band, (level,) * 6, name="linear")
    found = learnt(points)
    assert list(found) == [f"error_band_held_out@100:{k}" for k in range(3)]
    first, second, third = found.values()
    assert first.value is not None
    assert second.value is not None
    assert 2 < first.value < 4 < 16 < second.value < 32
    assert (first.low, first.high, second.low, second.high) == (2, 4, 16, 32)
    assert first.level == 0.5
    assert (third.status, third.value, third.low) == (OnsetStatus.CENSORED, None, pytest.approx(64))


def test_a_group_without_a_filter_and_the_error_of_training_images_have_no_onset() -> None:
    points = [*error(3, (5, 4, 3, 2, 1, 0.5), kind="pc"), *error(0, (5, 4, 3, 2, 1, 0.5), name="train")]
    assert learnt(points) == {}
