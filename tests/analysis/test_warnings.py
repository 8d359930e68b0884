"""Warnings: the level is the most sensitive that is seldom wrong, and is judged on runs it was not chosen from."""

from collections.abc import Sequence

import numpy as np
import pytest

from tauscope.analysis.onsets import Curve, warning_onset
from tauscope.analysis.warnings import MIN_RUNS, MOST_EARLY, PastRun, Pool, calibrate, crossing_times, outcomes, warn
from tauscope.contracts.onsets import Onset, OnsetStatus
from tauscope.contracts.points import Point
from tauscope.contracts.warnings import Outcome
from tauscope.metrics.intervals import clopper_pearson

GAP = "loss_gap@100"
GRID = np.geomspace(5, 5000, 60)


def points(tau_mem: float, *, power: float = 1.0, metric: str = GAP) -> list[Point]:
    """A gap g with g / (1 - g) = (tau / tau_mem)^power: 50 % at tau_mem, and a fixed share of it at every level."""
    odds = (GRID / tau_mem) ** power
    values = odds / (1 + odds)
    return [
        Point(step=round(tau), metric=metric, value=v, low=v - 0.005, high=v + 0.005, count=512)
        for tau, v in zip(GRID, values, strict=True)
    ]


def reached(tau: float) -> Onset:
    return Onset(value=tau, low=tau / 1.2, high=tau * 1.2, status=OnsetStatus.REACHED, metric="f_mem", level=0.25)


def never(last: float) -> Onset:
    return Onset(value=None, low=last, high=None, status=OnsetStatus.CENSORED, metric="f_mem", level=0.25, reason="not by then")


def past(configuration: str, tau_mem: Onset, curve: Sequence[Point], *, metric: str = GAP, last: float = 5000) -> PastRun:
    return PastRun(configuration, {metric: Curve.of(curve, metric, share=False)}, tau_mem, last)


def pool(*runs: PastRun, metric: str = GAP) -> Pool:
    return Pool("digits", 8, 0.25, metric, runs)


def store(*, scatter: float = 0.0, n_seeds: int = 3) -> list[PastRun]:
    """Copying at 100, 300 and 900 with the gap at 50 % there, run to run apart by a log-normal scatter of tau_mem."""
    rng = np.random.default_rng(1)
    return [
        past(f"n = {tau}", reached(tau * float(np.exp(scatter * rng.normal()))), points(tau))
        for tau in (100, 300, 900)
        for _ in range(n_seeds)
    ]


@pytest.mark.parametrize("falling", [False, True])
def test_crossing_times_are_those_of_the_onset(falling: bool) -> None:
    rng = np.random.default_rng(0)
    sign = -1 if falling else 1
    for _ in range(30):
        values = sign * np.cumsum(rng.normal(0.1, 0.3, 20))
        curve = Curve(5.0 + 7 * np.arange(20), values, values - 0.2, values + 0.2, np.zeros(20))
        levels = sign * np.linspace(-1, 3, 9)
        for time, level in zip(crossing_times(curve, levels, falling=falling), levels, strict=True):
            onset = warning_onset(curve, "m", float(level), falling=falling)
            expected = {OnsetStatus.REACHED: onset.value, OnsetStatus.CENSORED: np.inf, OnsetStatus.BEFORE_FIRST: 5.0}[onset.status]
            assert time == pytest.approx(expected)


def test_a_probe_that_is_computed_without_error_crosses_in_the_cell_between_its_points() -> None:
    curve = [Point(step=step, metric="stable_rank", value=value) for step, value in ((10, 12.0), (20, 11.0), (40, 9.0), (80, 8.0))]
    onset = warning_onset(Curve.of(curve, "stable_rank", share=False), "stable_rank", 10.0, falling=True)
    assert (onset.low, onset.high) == (20, 40)
    assert onset.value == pytest.approx(20 * 2**0.5)


@pytest.mark.parametrize(
    ("warned", "copied", "last", "expected"),
    [
        (100.0, 200.0, 500.0, Outcome.EARLY),
        (100.0, 100.0, 500.0, Outcome.LATE),
        (300.0, 200.0, 500.0, Outcome.LATE),
        (np.inf, 200.0, 500.0, Outcome.MISSED),
        (100.0, 100 * MOST_EARLY + 1, 500.0, Outcome.FALSE),
        (100.0, np.inf, 100 * MOST_EARLY + 1, Outcome.FALSE),
        (100.0, np.inf, 100 * MOST_EARLY, Outcome.UNDECIDED),
        (np.inf, np.inf, 500.0, Outcome.QUIET),
    ],
)
def test_every_warning_has_one_outcome(warned: float, copied: float, last: float, expected: Outcome) -> None:
    assert str(outcomes(np.array(warned), np.array(copied), np.array(last))) == expected


def test_the_level_is_the_most_sensitive_that_is_not_too_early_in_any_run() -> None:
    """With odds (tau / tau_mem)^1 a lead of 3 is odds of 1/3, a gap of 25 %: the next level above."""
    found = calibrate(pool(*store()))
    assert found.level == 0.26
    assert found.lead is not None
    assert found.lead.value == pytest.approx(0.74 / 0.26, rel=0.02)  # The grid's steps are whole and its interpolation linear.
    assert found.outcomes[Outcome.EARLY] == 9


def test_a_run_that_stops_short_of_copying_makes_the_level_stricter() -> None:
    """This one's gap rises to 40 % without copying."""
    flat = [point.model_copy(update={"value": min(point.value or 0, 0.4)}) for point in points(300)]
    found = calibrate(pool(*store(n_seeds=2), past("n = 300, regularized", never(5000), flat)))
    assert found.level == 0.41
    assert found.false_alarms is not None
    assert found.outcomes[Outcome.FALSE] == 1  # Judged at the level of the others, which never saw such a run.


def test_false_alarms_are_judged_on_left_out_configurations_with_their_exact_interval() -> None:
    """The third configuration copies at a much higher gap than the level of the other two: it gives the false alarms."""
    odd = [past("n = 900, wide", reached(900), points(90)) for _ in range(3)]
    found = calibrate(pool(*[run for run in store() if run.configuration != "n = 900"], *odd))
    assert found.false_alarms is not None
    assert found.outcomes[Outcome.FALSE] == 3
    assert (found.false_alarms.low, found.false_alarms.high) == clopper_pearson(3, 9)
    assert found.false_alarms.count == 9


def test_the_rate_on_left_out_runs_is_honest_where_tau_mem_scatters() -> None:
    """Chosen and judged on the same runs a rate would be at most 10 % by construction; on left-out ones it is what it is."""
    rng = np.random.default_rng(2)
    rates = []
    for _ in range(20):
        runs = [past(f"n = {tau}", reached(tau * float(np.exp(0.3 * rng.normal()))), points(tau)) for tau in np.geomspace(100, 900, 12)]
        found = calibrate(pool(*runs))
        assert found.false_alarms is not None
        rates.append(found.false_alarms.value)
    assert 0.02 < np.mean(rates) < 0.30


def test_too_few_runs_or_configurations_are_not_calibrated() -> None:
    few, alike = store()[:2], [past("n = 100", reached(100), points(100))] * MIN_RUNS
    assert calibrate(pool(*few)).note == "not calibrated: 2 of the 6 finished runs it takes"
    assert calibrate(pool(*alike)).note.startswith("not calibrated: 1 of 2 configurations")
    for runs in (few, alike):
        found = calibrate(pool(*runs))
        assert (found.level, found.lead, found.false_alarms) == (None, None, None)


def test_a_probe_that_does_not_foretell_copying_gets_no_level() -> None:
    flat = [point.model_copy(update={"value": 0.2, "low": 0.195, "high": 0.205}) for point in points(100)]
    found = calibrate(pool(*[past(f"n = {tau}", reached(tau), flat) for tau in (100, 300, 900) for _ in range(2)]))
    assert found.level is None
    assert found.note.startswith("no level warned in time")


def test_undecided_runs_are_counted_but_not_judged() -> None:
    short = past("n = 1,500", never(700), [point for point in points(1500) if point.step <= 700], last=700)
    found = calibrate(pool(*store(), short))
    assert found.outcomes[Outcome.UNDECIDED] == 1
    assert found.false_alarms is not None
    assert found.false_alarms.count == 9


def test_a_run_is_warned_at_the_level_of_the_other_configurations() -> None:
    """Its own configuration alone would allow a gap of 10 %; the others stand for a lead of 3."""
    own = [past("mine", reached(300), points(300, power=2)) for _ in range(3)]
    mine = Curve.of(points(300, power=2), GAP, share=False)
    found = warn("a", mine, configuration="mine", pool=pool(*store(n_seeds=2), *own), tau_mem=reached(300), ended_at=5000)
    assert found.level == 0.26
    assert found.note == "level from 6 runs of other configurations"
    assert found.outcome is Outcome.EARLY
    assert found.lead is not None
    assert found.lead.value == pytest.approx((0.74 / 0.26) ** 0.5, rel=0.02)
    assert found.lead.low is not None
    assert found.lead.high is not None
    assert found.lead.low < found.lead.value < found.lead.high


def test_a_live_run_has_no_outcome_yet_and_an_unwarned_one_no_time() -> None:
    early = Curve.of([point for point in points(300) if point.step < 60], GAP, share=False)
    found = warn("a", early, configuration="mine", pool=pool(*store()), tau_mem=never(60), ended_at=None)
    assert found.outcome is None
    assert found.onset is not None
    assert (found.onset.status, found.onset.value, found.onset.reason[:6]) == (OnsetStatus.CENSORED, None, "not by")


def test_without_runs_of_other_configurations_nothing_is_warned_of() -> None:
    curve = Curve.of(points(100), GAP, share=False)
    found = warn("a", curve, configuration="n = 100", pool=pool(*store()[:3]), tau_mem=None, ended_at=None)
    assert (found.level, found.onset, found.note) == (None, None, "not calibrated: 3 of the 6 finished runs it takes")


@pytest.mark.parametrize("tau", [100, 300, 900])
def test_a_falling_probe_warns_when_it_falls(tau: float) -> None:
    def ranks(copying: float) -> list[Point]:
        return [Point(step=round(step), metric="stable_rank", value=1 + 11 / (1 + step / copying), count=40) for step in GRID]

    runs = [past(f"n = {at}", reached(at), ranks(at), metric="stable_rank") for at in (100, 300, 900) for _ in range(2)]
    found = calibrate(pool(*runs, metric="stable_rank"))
    assert found.falling
    assert found.level == pytest.approx(1 + 11 / (1 + 1 / MOST_EARLY), rel=0.02)  # 1.2 % between levels
    own = Curve.of(ranks(tau), "stable_rank", share=False)
    warned = warn("a", own, configuration="new", pool=pool(*runs, metric="stable_rank"), tau_mem=reached(tau), ended_at=5000)
    assert warned.outcome is Outcome.EARLY
