"""Forecasts of real runs, each made from other configurations and from its own pilots alone, against what happened.

``tests/fixtures/forecast_runs`` holds the points of small networks trained on 8x8 digits. Each run is foretold as if its configuration
were new to the store but for pilots no larger than itself: what is learnt from and what is tested are split by configuration.
"""

import gzip
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from tauscope.analysis.forecast import Knowledge
from tauscope.analysis.onsets import tau_mem
from tauscope.analysis.trajectories import Trajectory, gap_crossings
from tauscope.contracts.forecasts import Forecast
from tauscope.contracts.onsets import OnsetStatus
from tauscope.contracts.points import Point

FIXTURE = Path(__file__).parents[1] / "fixtures" / "forecast_runs" / "runs.json.gz"
SHARES = (0.1, 0.25, 0.5)  # Of the outcome's time, at which a forecast is made.
LEVEL = 0.25


class Measured(NamedTuple):
    """A run of the fixture: its configuration, n and points."""

    configuration: str
    n_train: int
    points: tuple[Point, ...]

    def until(self, step: float, *, every: int = 1) -> Trajectory:
        """The run as far as it had come by a step; of its loss gaps every so-manieth alone."""
        gaps = [point for point in self.points if point.metric == "loss_gap@100"][::every]
        seen = [point for point in self.points if point.metric != "loss_gap@100"]
        known = [point for point in (*seen, *gaps) if point.step <= step or point.metric == "f_mem_control"]
        return Trajectory(self.configuration, self.n_train, tau_mem(known, LEVEL), gap_crossings(known, "loss_gap@100"))


class Outcome(NamedTuple):
    """A forecast and the tau_mem that came."""

    made: Forecast
    tau: float

    @property
    def error(self) -> float:
        assert self.made.median is not None
        return abs(float(np.log(self.made.median / self.tau)))

    @property
    def plain_error(self) -> float:
        assert self.made.plain is not None
        return abs(float(np.log(self.made.plain / self.tau)))

    def inside(self, low: str, high: str) -> bool:
        return bool(getattr(self.made, low) <= self.tau <= getattr(self.made, high))


@cache
def measured() -> tuple[Measured, ...]:
    document = json.loads(gzip.decompress(FIXTURE.read_bytes()))
    return tuple(Measured(run["configuration"], run["n_train"], tuple(_points(run["series"]))) for run in document["runs"])


def _points(series: dict[str, list[list[float]]]) -> list[Point]:
    return [
        Point(step=int(step), metric=metric, value=value, low=low, high=high, count=int(count))
        for metric, rows in series.items()
        for step, value, low, high, count in rows
    ]


@cache
def outcomes(share: float, every: int = 1) -> tuple[Outcome, ...]:
    """Every run with a measured tau_mem, foretold at a share of it."""
    whole = [run.until(np.inf) for run in measured()]
    found = []
    for run, result in zip(measured(), whole, strict=True):
        if result.onset is None or result.onset.status is not OnsetStatus.REACHED or result.onset.value is None:
            continue
        step = share * result.onset.value
        known = [
            other for other in whole if other is not result and (other.configuration != run.configuration or other.n_train <= run.n_train)
        ]
        found.append(Outcome(Knowledge(known).forecast(run.until(step, every=every), step=int(step)), result.onset.value))
    return tuple(found)


def coverage(found: Sequence[Outcome], low: str, high: str) -> float:
    return float(np.mean([item.inside(low, high) for item in found]))


def mean_error(found: Sequence[Outcome]) -> float:
    return float(np.mean([item.error for item in found]))


def test_the_fixture_holds_enough_runs_of_enough_configurations() -> None:
    reached = outcomes(0.5)
    assert len(reached) >= 60
    assert len({run.configuration for run in measured()}) == 10
    assert FIXTURE.stat().st_size < 300_000


@pytest.mark.parametrize("every", [1, 2])
@pytest.mark.parametrize("share", SHARES)
def test_the_intervals_cover_what_they_claim_also_with_half_of_the_points(share: float, every: int) -> None:
    found = outcomes(share, every)
    assert 0.7 <= coverage(found, "low", "high") <= 0.9
    # 60 runs of ten configurations: the lower 2.5 % of a binomial of 60 at 0.95 is 0.88.
    assert coverage(found, "low_95", "high_95") >= 0.88


@pytest.mark.parametrize("share", SHARES)
def test_forecasts_beat_the_plain_law_through_the_same_pilots(share: float) -> None:
    compared = [item for item in outcomes(share) if item.made.plain is not None]
    assert len(compared) >= 40
    plain = float(np.mean([item.plain_error for item in compared]))
    assert mean_error(compared) < 0.7 * plain


def test_forecasts_get_better_as_the_run_goes_on() -> None:
    errors = [mean_error(outcomes(share)) for share in SHARES]
    widths = [float(np.median([np.log(item.made.high / item.made.low) for item in outcomes(share)])) for share in SHARES]  # type: ignore[operator]
    assert errors == sorted(errors, reverse=True)
    assert widths == sorted(widths, reverse=True)


def test_half_of_the_points_costs_little() -> None:
    assert mean_error(outcomes(0.5, 2)) < 1.25 * mean_error(outcomes(0.5))


def test_no_forecast_is_below_what_was_known_when_it_was_made() -> None:
    for share in SHARES:
        for item in outcomes(share):
            assert item.made.low_95 is not None and item.made.low_95 >= item.made.bound
            assert item.tau > item.made.bound
