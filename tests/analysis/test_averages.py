"""Further averages of the weights have onsets of their own, by the levels and the control of the run."""

from typing import Any

import pytest

from tauscope.analysis.averages import onsets_of_averages
from tauscope.analysis.onsets import tau_gen, tau_mem
from tauscope.analysis.summary import find_markers, summarize_points
from tauscope.contracts.onsets import Onset, OnsetStatus
from tauscope.contracts.points import Point
from tauscope.specs import ImageDdpmSpec
from tests.analysis.test_onsets import copies, losses

SUFFIX = "~ema0.1"
RISE, LATER = [0] * 9 + [10, 190, 300, 300, 300, 300], [0] * 11 + [10, 190, 300, 300]
FALL = [0.9, 0.8, 0.7, 0.6, *[0.5] * 11]


def spec(**more: Any) -> ImageDdpmSpec:
    return ImageDdpmSpec.model_validate({"ema": {"name": "power", "further": [0.1]}, **more})


def of_the_average(points: list[Point]) -> list[Point]:
    return [point.model_copy(update={"metric": point.metric + SUFFIX}) for point in points if point.metric != "f_mem_control"]


def same(found: Onset, other: Onset) -> bool:
    return found.model_copy(update={"metric": ""}) == other.model_copy(update={"metric": ""})


def test_the_onsets_of_an_average_are_those_of_its_points_alone() -> None:
    own, further = [*copies(RISE, control=4), *losses(FALL)], [*copies(LATER), *losses([1.0, *FALL[:-1]])]
    found = onsets_of_averages(spec(), own + of_the_average(further))
    assert list(found) == [f"tau_gen{SUFFIX}", f"tau_mem{SUFFIX}"]
    assert same(found[f"tau_gen{SUFFIX}"], tau_gen(further, "loss_held_out@100", 0.55))
    control = [point for point in own if point.metric == "f_mem_control"]
    expected = tau_mem([point for point in further if point.metric == "f_mem"] + control, 0.25)
    assert same(found[f"tau_mem{SUFFIX}"], expected) and expected.status is OnsetStatus.REACHED
    assert expected != tau_mem(own, 0.25)
    assert found[f"tau_mem{SUFFIX}"].metric == f"f_mem{SUFFIX}"


def test_they_stand_among_the_markers_of_the_run_beside_its_own() -> None:
    points = [*copies(RISE), *losses(FALL), *of_the_average([*copies(LATER), *losses(FALL)])]
    markers = find_markers(spec(), points)
    assert {f"tau_gen{SUFFIX}", f"tau_mem{SUFFIX}", "tau_test"} <= set(markers)
    assert markers[f"tau_mem{SUFFIX}"] == onsets_of_averages(spec(), points)[f"tau_mem{SUFFIX}"]
    assert set(summarize_points(spec(), points)[0]) == {"tau_gen", "tau_mem"}, "fits and policies read the run's own alone"


def test_without_points_or_control_an_average_has_no_onset_and_says_why() -> None:
    before = onsets_of_averages(spec(), [])
    assert {onset.status for onset in before.values()} == {OnsetStatus.UNDEFINED}
    assert before[f"tau_mem{SUFFIX}"].reason == f"f_mem{SUFFIX} was not measured yet"
    alone = of_the_average(copies(RISE))
    assert onsets_of_averages(spec(), alone)[f"tau_mem{SUFFIX}"].reason == "there is no held-out control to subtract"


def test_a_quality_that_only_the_first_average_is_measured_by_leaves_the_others_without_tau_gen() -> None:
    by_distance = spec(onsets={"tau_gen": {"metric": "frechet_pca", "level": 3}})
    found = onsets_of_averages(by_distance, of_the_average(copies(RISE)) + copies(RISE))
    assert found[f"tau_gen{SUFFIX}"].status is OnsetStatus.UNDEFINED
    assert found[f"tau_gen{SUFFIX}"].reason == "frechet_pca is measured of the first average alone"
    assert found[f"tau_mem{SUFFIX}"].status is OnsetStatus.REACHED


@pytest.mark.parametrize("ema", [None, {"name": "constant", "decay": 0.9}])
def test_a_run_of_one_average_has_no_others(ema: dict[str, Any] | None) -> None:
    assert onsets_of_averages(spec(ema=ema), copies(RISE)) == {}
