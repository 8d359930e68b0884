"""Thinned curves look like the whole ones: extremes, gaps, breaks and ends stay, within the number asked for."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tauscope.analysis.thinning import kept_rows, thinned

N = 100_000


def columns(value: list[float | None], reason: dict[int, str] | None = None) -> dict[str, list[Any]]:
    count = len(value)
    reasons = [None if v is not None else "diverged" for v in value]
    for row, words in (reason or {}).items():
        reasons[row] = words
    low = [None if v is None else v - 1 for v in value]
    high = [None if v is None else v + 1 for v in value]
    return {"step": list(range(1, count + 1)), "value": value, "low": low, "high": high, "count": [512] * count, "reason": reasons}


def wave() -> list[float | None]:
    return [math.sin(3 * math.log(step)) for step in range(1, N + 1)]


def test_a_long_series_is_bounded_and_uses_most_of_what_it_may() -> None:
    rows = kept_rows(list(range(1, N + 1)), wave(), [None] * N, 800)
    assert 600 <= len(rows) <= 800


def test_a_single_spike_and_a_single_dip_survive() -> None:
    value = wave()
    value[77_777], value[33_333] = 9.0, -9.0
    kept = thinned(columns(value), 800)["value"]
    assert 9.0 in kept
    assert -9.0 in kept


def test_the_first_and_the_last_point_stay() -> None:
    steps = thinned(columns(wave()), 100)["step"]
    assert (steps[0], steps[-1]) == (1, N)


def test_intervals_counts_and_values_are_of_the_same_rows() -> None:
    kept = thinned(columns(wave()), 200)
    assert kept["value"] == [math.sin(3 * math.log(step)) for step in kept["step"]]
    assert [high - low for low, high in zip(kept["low"], kept["high"], strict=True)] == pytest.approx([2.0] * len(kept["step"]))


def test_points_are_spread_over_log_time_and_not_crowded_at_its_end() -> None:
    steps = np.array(thinned(columns(wave()), 800)["step"])
    decades = [int(((steps >= 10**k) & (steps < 10 ** (k + 1))).sum()) for k in range(5)]
    assert decades[:2] == [9, 90]
    assert max(decades[2:]) < 1.5 * min(decades[3:])


def test_a_gap_stays_a_gap_with_its_first_and_last_step() -> None:
    value = wave()
    value[50_000:60_000] = [None] * 10_000
    kept = thinned(columns(value), 400)
    lost = [step for step, v in zip(kept["step"], kept["value"], strict=True) if v is None]
    assert lost == [50_001, 60_000]


def test_a_value_with_a_reason_stays() -> None:
    kept = thinned(columns(wave(), {12_345: "clipped"}), 400)
    assert kept["reason"][kept["step"].index(12_346)] == "clipped"


def test_more_gaps_than_fit_are_still_bounded() -> None:
    value: list[float | None] = [None if row % 2 else 1.0 for row in range(N)]
    kept = thinned(columns(value), 800)
    assert len(kept["step"]) <= 800
    assert kept["value"].count(None) > 50


def test_a_short_series_and_an_unbounded_one_are_left_alone() -> None:
    short = columns([1.0, 2.0, None])
    assert thinned(short, 8) is short
    assert len(thinned(columns(wave()), None)["step"]) == N


@given(
    value=st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6), st.just(0.5)), min_size=9, max_size=300),
    max_points=st.integers(8, 64),
)
def test_whatever_the_series_rows_ascend_stay_within_the_bound_and_keep_its_range(value: list[float | None], max_points: int) -> None:
    series = columns(value)
    rows = kept_rows(series["step"], value, series["reason"], max_points)
    assert len(rows) <= max_points
    assert (np.diff(rows) > 0).all()
    assert (rows[0], rows[-1]) == (0, len(value) - 1)
    plain = [v for v in value if v is not None]
    if plain and len({v is None for v in value}) == 1:
        kept = [value[row] for row in rows]
        assert (min(plain), max(plain)) == (min(kept), max(kept))  # type: ignore[type-var]


@given(
    value=st.lists(st.floats(-1e6, 1e6), min_size=60, max_size=300),
    gaps=st.sets(st.integers(0, 59), max_size=3),
    spike=st.integers(0, 59),
)
def test_a_coarser_answer_made_from_a_finer_one_hides_no_diverged_point_and_no_extreme(
    value: list[float | None], gaps: set[int], spike: int
) -> None:
    series: list[float | None] = list(value)
    series[spike] = 1e7
    for gap in gaps:
        series[gap] = None
    lost = {place + 1 for place in gaps if {place - 1, place + 1} - gaps}  # The ends of every stretch without a value.
    twice = thinned(thinned(columns(series), 48), 24)
    assert len(twice["step"]) <= 24
    assert lost <= {step for step, v in zip(twice["step"], twice["value"], strict=True) if v is None}
    plain = [v for v in series if v is not None]
    kept = [v for v in twice["value"] if v is not None]
    assert (min(plain), max(plain)) == (min(kept), max(kept))
