"""When each band is learnt: as good as the linear filter on the same pairs, sustained, with its interval."""

import pytest

from tauscope.analysis.spectrum import learnt
from tauscope.analysis.summary import summarize_points
from tauscope.contracts.onsets import OnsetStatus
from tauscope.contracts.points import Point
from tauscope.specs import load_preset

STEPS = (2, 4, 8, 16, 32, 64)


def ratios(metric: str, values: tuple[float, ...]) -> list[Point]:
    return [Point(step=step, metric=metric, value=v, low=0.98 * v, high=1.02 * v, count=256) for step, v in zip(STEPS, values, strict=True)]


def test_a_band_is_learnt_where_its_error_comes_down_to_the_filters_and_stays() -> None:
    never, slow, fast = (9.0, 7.0, 5.0, 4.0, 3.0, 2.0), (4.0, 2.0, 1.4, 1.2, 0.8, 0.7), (1.8, 0.6, 0.4, 0.2, 0.2, 0.2)
    points = [
        point for k, values in ((2, never), (10, never), (1, slow), (0, fast)) for point in ratios(f"error_band_ratio@100:{k}", values)
    ]
    found = learnt(points)
    assert list(found) == [f"error_band_ratio@100:{k}" for k in (0, 1, 2, 10)]
    first, second, third, _ = found.values()
    assert first.value is not None
    assert second.value is not None
    assert 2 < first.value < 4 < 16 < second.value < 32
    assert (first.low, first.high, second.low, second.high) == (2, 4, 16, 32)
    assert (third.status, third.value, third.low) == (OnsetStatus.CENSORED, None, pytest.approx(64))


def test_an_error_that_is_compared_with_no_filter_has_no_onset() -> None:
    falling = (5, 4, 3, 2, 1, 0.5)
    assert learnt([*ratios("error_pc_held_out@100:3", falling), *ratios("error_band_train@100:0", falling)]) == {}


def test_a_runs_final_values_hold_no_parts_of_which_there_are_hundreds() -> None:
    spec = load_preset("digits-spectrum").sweep.base
    points = [
        *ratios("error_band_ratio@100:0", (1,) * 6),
        *ratios("grid_gap@103", (0,) * 6),
        *ratios("loss_held_out@100", (3, 2, 1, 0.5, 0.4, 0.4)),
    ]
    _, final = summarize_points(spec, points)
    assert {name.partition("@")[0] for name in final} == {"step", "n_generated", "loss_held_out"}
