"""The recommended checkpoint is good, free of copies, and the earliest such; or there is none, with the reason."""

import pytest

from tauscope.analysis.recommendation import recommend
from tauscope.contracts.forecasts import Forecast
from tauscope.contracts.onsets import Onset, OnsetStatus
from tauscope.contracts.points import Point

LOSS = "loss_held_out@100"


def onset(metric: str, status: OnsetStatus = OnsetStatus.REACHED, low: float | None = None, high: float | None = None) -> Onset:
    value = (low or 0) + 1 if status is OnsetStatus.REACHED else None
    return Onset(value=value, low=low, high=high, status=status, metric=metric, level=0.5, reason="" if value else "not by 500")


def quality(values: dict[int, float], half: float = 0.01) -> list[Point]:
    return [Point(step=step, metric=LOSS, value=v, low=v - half, high=v + half, count=512) for step, v in values.items()]


def copies(values: dict[int, float]) -> list[Point]:
    return [Point(step=step, metric="f_mem", value=v, low=max(0.0, v - 0.01), high=v + 0.01, count=384) for step, v in values.items()]


POINTS = [
    *quality({50: 0.9, 100: 0.54, 200: 0.505, 300: 0.5, 400: 0.52, 500: 0.3}),
    *copies(dict.fromkeys((50, 100, 200, 300, 400, 500), 0.0)),
]
GEN = onset(LOSS, low=50, high=100)
MEM = onset("f_mem", low=400, high=500)


def test_it_is_the_earliest_step_that_cannot_be_told_from_the_best_between_the_onsets() -> None:
    found = recommend(POINTS, {"tau_gen": GEN, "tau_mem": MEM})
    assert found.step == 200
    assert found.quality is not None and (found.quality.value, found.quality.count) == (0.505, 512)
    assert found.f_mem is not None and (found.f_mem.high, found.f_mem.count) == (0.01, 384)
    assert "the best (at 300)" in found.reason


def test_it_says_in_one_line_quality_copies_and_how_far_it_is_on_the_way_to_tau_mem() -> None:
    found = recommend(POINTS, {"tau_gen": GEN, "tau_mem": MEM})
    assert found.summary == "step 200: loss_held_out@100 0.505 (0.495 to 0.515), f_mem 0 of 384 (under 1.0 %), 50 % of tau_mem (40 to 50 %)"
    assert found.margin is not None and (found.margin.low, found.margin.high) == (200 / 500, 200 / 400)
    assert found.margin.share == pytest.approx(200 / 401)


def test_of_a_tau_mem_that_was_not_reached_only_the_lower_bound_counts() -> None:
    beyond = recommend(POINTS, {"tau_gen": GEN, "tau_mem": onset("f_mem", OnsetStatus.CENSORED, low=300)}).margin
    assert beyond is not None and (beyond.share, beyond.high, beyond.words) == (
        None,
        None,
        "margin to tau_mem not known, which is not before 300",
    )
    before = recommend(POINTS, {"tau_gen": GEN, "tau_mem": onset("f_mem", OnsetStatus.CENSORED, low=600)}).margin
    assert before is not None and before.share is None and before.high == pytest.approx(500 / 600)
    assert before.words == "at most 83 % of tau_mem, which is not before 600"


def test_of_a_tau_mem_that_is_foretold_the_margin_is_its_share_with_the_interval_of_the_forecast() -> None:
    censored = {"tau_gen": GEN, "tau_mem": onset("f_mem", OnsetStatus.CENSORED, low=300)}
    made = Forecast(step=500, median=1250, low=1000, high=2000, low_95=900, high_95=2500)
    found = recommend(POINTS, censored, made)
    assert found.step == recommend(POINTS, censored).step == 500
    assert found.margin is not None and found.margin.predicted
    assert (found.margin.share, found.margin.low, found.margin.high) == (0.4, 0.25, 0.5)
    assert found.summary.endswith("40 % of the predicted tau_mem (80 %: 25 to 50 %)")


def test_a_tau_mem_that_was_measured_or_a_forecast_without_numbers_leaves_the_margin_as_it_is() -> None:
    made = Forecast(step=500, median=1250, low=1000, high=2000, low_95=900, high_95=2500)
    assert recommend(POINTS, {"tau_gen": GEN, "tau_mem": MEM}, made) == recommend(POINTS, {"tau_gen": GEN, "tau_mem": MEM})
    censored = {"tau_gen": GEN, "tau_mem": onset("f_mem", OnsetStatus.CENSORED, low=600)}
    none = Forecast(step=500, median=None, low=None, high=None, low_95=None, high_95=None, reason="no earlier run has copied")
    assert recommend(POINTS, censored, none) == recommend(POINTS, censored)


def test_a_better_step_after_memorization_began_is_not_recommended() -> None:
    assert recommend(POINTS, {"tau_gen": GEN, "tau_mem": onset("f_mem", low=300, high=400)}).step == 200
    assert recommend(POINTS, {"tau_gen": GEN, "tau_mem": onset("f_mem", low=100, high=200)}).step == 100


def test_the_window_reaches_to_the_last_measured_step_where_nothing_is_memorized() -> None:
    found = recommend(POINTS, {"tau_gen": GEN, "tau_mem": onset("f_mem", OnsetStatus.CENSORED, low=300)})
    assert found.step == 500
    assert "the last measured step 500" in found.reason


def test_a_step_without_f_mem_is_not_recommended() -> None:
    points = [point for point in POINTS if (point.metric, point.step) != ("f_mem", 200)]
    assert recommend(points, {"tau_gen": GEN, "tau_mem": MEM}).step == 300


@pytest.mark.parametrize(
    ("onsets", "reason"),
    [
        ({}, "nothing was measured"),
        ({"tau_gen": onset(LOSS, OnsetStatus.CENSORED, low=500), "tau_mem": MEM}, "tau_gen was not reached: not by 500"),
        ({"tau_gen": onset(LOSS, low=300), "tau_mem": MEM}, "no upper end"),
        ({"tau_gen": GEN, "tau_mem": onset("f_mem", OnsetStatus.UNDEFINED)}, "tau_mem is not known"),
        ({"tau_gen": onset(LOSS, low=300, high=500), "tau_mem": MEM}, "not clearly before"),
        ({"tau_gen": GEN, "tau_mem": onset("f_mem", OnsetStatus.BEFORE_FIRST, low=0, high=50)}, "not clearly before"),
        ({"tau_gen": onset(LOSS, low=100, high=110), "tau_mem": onset("f_mem", low=150, high=200)}, "nothing was measured between"),
    ],
)
def test_where_there_is_none_the_reason_is_told(onsets: dict[str, Onset], reason: str) -> None:
    found = recommend(POINTS, onsets)
    assert (found.step, found.quality, found.f_mem) == (None, None, None)
    assert reason in found.reason
