"""What a forecast may and may not say, on runs whose law and ratio are known because they were drawn from them."""

import numpy as np
import pytest

from tauscope.analysis.forecast import Knowledge, plain_law
from tauscope.analysis.forecast_score import materially_new, score, verdict
from tauscope.analysis.trajectories import Trajectory, configuration_of, domain_of, gap_crossings
from tauscope.contracts.forecasts import Forecast, KeptForecast, ScoredForecast, Verdict
from tauscope.contracts.onsets import Onset, OnsetStatus
from tauscope.contracts.points import Point
from tauscope.specs import apply_settings, load_preset

RATIOS = {0.3: 3.8, 0.5: 2.4, 0.7: 1.6}


def reached(tau: float) -> Onset:
    return Onset(value=tau, low=0.9 * tau, high=1.1 * tau, status=OnsetStatus.REACHED, metric="f_mem", level=0.25)


def not_by(step: float) -> Onset:
    return Onset(value=None, low=step, high=None, status=OnsetStatus.CENSORED, metric="f_mem", level=0.25, reason=f"not by {step:,.0f}")


def tau_of(n: int, pace: float = 1.0) -> float:
    return 6.0 * pace * n**1.3


def run(n: int, *, pace: float = 1.0, name: str = "a", noise: float = 0.0, onset: Onset | None = None) -> Trajectory:
    tau = tau_of(n, pace) * np.exp(noise)
    return Trajectory(name, n, onset or reached(tau), {level: tau / ratio for level, ratio in RATIOS.items()})


def earlier(seed: int = 0) -> list[Trajectory]:
    """Six configurations with three n each."""
    random = np.random.default_rng(seed)
    return [run(n, pace=1.3**k, name=f"c{k}", noise=random.normal(0, 0.06)) for k in range(6) for n in (8, 16, 32)]


def young(n: int, *, name: str = "a", bound: float | None = None, crossed: dict[float, float] | None = None) -> Trajectory:
    return Trajectory(name, n, not_by(bound) if bound else None, crossed or {})


def numbers(made: Forecast) -> tuple[float, float, float]:
    assert made.low is not None and made.median is not None and made.high is not None
    return made.low, made.median, made.high


def test_pilots_alone_foretell_by_their_law_and_beat_proportion() -> None:
    made = Knowledge([*earlier(), run(8, pace=4), run(16, pace=4)]).forecast(young(64), step=5)
    low, median, high = numbers(made)
    assert low < tau_of(64, 4) < high
    assert abs(np.log(median / tau_of(64, 4))) < 0.15
    assert made.plain == pytest.approx(4 * 6.0 * 64 * np.exp(0.3 * np.mean(np.log([8, 16]))), rel=1e-6)
    assert abs(np.log(made.plain / tau_of(64, 4))) > 0.4
    assert (made.n_pilots, made.n_runs, made.n_configurations, made.gap_level) == (2, 20, 7, None)


def test_the_runs_own_gap_foretells_a_configuration_nobody_has_run_before() -> None:
    tau = 5000.0  # Far from every earlier run.
    known, news = Knowledge(earlier()), {0.3: tau / 3.8, 0.5: tau / 2.4}
    without, with_gap = known.forecast(young(32), step=5), known.forecast(young(32, crossed=news), step=2100)
    assert with_gap.gap_level == 0.5
    assert abs(np.log(numbers(with_gap)[1] / tau)) < 0.5 * abs(np.log(numbers(without)[1] / tau))


def test_a_forecast_is_never_below_what_is_known_not_to_have_happened() -> None:
    known = Knowledge(earlier())
    crossed = {0.5: 300 / 2.4}
    free, held = known.forecast(young(16, crossed=crossed), step=130), known.forecast(young(16, bound=400, crossed=crossed), step=400)
    assert numbers(free)[0] < 400
    assert held.low_95 is not None and held.low_95 >= 400
    assert held.bound == 400
    assert numbers(held)[1] > numbers(free)[1]


def test_a_forecast_far_beyond_its_median_stays_a_number_above_the_bound() -> None:
    made = Knowledge(earlier()).forecast(young(16, bound=1e6, crossed={0.5: 100.0}), step=10**6)
    assert made.low_95 is not None and made.low_95 >= 1e6


@pytest.mark.parametrize(
    ("known", "given", "reason"),
    [
        ([], young(16), "no earlier run"),
        ([run(8, name="other", onset=not_by(50))], young(16), "no earlier run"),
        ([run(8)], Trajectory("a", 16, reached(100), {}), "tau_mem is measured"),
    ],
)
def test_without_evidence_there_is_no_forecast_and_the_reason(known: list[Trajectory], given: Trajectory, reason: str) -> None:
    made = Knowledge(known).forecast(given, step=10)
    assert made.median is None and made.low is None and reason in made.reason


def test_a_single_pilot_of_the_same_n_is_enough_for_a_wide_forecast() -> None:
    low, median, high = numbers(Knowledge([run(16)]).forecast(young(16), step=5))
    assert median == pytest.approx(tau_of(16), rel=0.01)
    assert high / low > 1.5


def test_a_pilot_that_has_not_copied_raises_the_forecast() -> None:
    pilots = [run(8), run(16)]
    slow = Trajectory("a", 24, not_by(4 * tau_of(24)), {})
    assert numbers(Knowledge([*pilots, slow]).forecast(young(32), step=5))[1] > numbers(Knowledge(pilots).forecast(young(32), step=5))[1]


def test_ratios_that_differ_more_widen_the_forecast_that_reads_them() -> None:
    calm = Knowledge(earlier())
    signs = {8: 1, 16: -1, 32: 1}
    wild = Knowledge([run(n, name=f"c{k}", onset=reached(tau_of(n) * np.exp(0.4 * signs[n] * (-1) ** k))) for k in range(6) for n in signs])

    def width(known: Knowledge) -> float:
        low, _, high = numbers(known.forecast(young(32, name="c1", crossed={0.5: 200.0}), step=200))
        return float(np.log(high / low))

    assert width(wild) > 1.5 * width(calm)


def test_the_plain_law_needs_a_pilot() -> None:
    assert plain_law([], 16) is None
    assert plain_law([run(8, onset=reached(80))], 16) == pytest.approx(160)


def test_crossings_are_sustained_and_interpolated_in_log_time() -> None:
    values = [(10, 0.0), (20, 0.35), (40, 0.05), (80, 0.25), (160, 0.45), (320, 0.85), (640, 0.9)]
    points = [Point(step=step, metric="loss_gap@100", value=v, low=v - 0.02, high=v + 0.02, count=128) for step, v in values]
    found = gap_crossings(points, "loss_gap@100")
    assert found[0.3] == pytest.approx(80 * 2**0.25)  # Not at 20, which the next point does not confirm.
    assert found[0.2] == pytest.approx(40 * 2**0.75)
    assert found[0.8] == pytest.approx(160 * 2 ** (0.35 / 0.4))


def test_runs_that_differ_in_n_seed_budget_and_checkpoints_are_one_configuration_and_others_are_not() -> None:
    def digest(**settings: object) -> tuple[str, str]:
        spec = apply_settings(load_preset("digits-demo").sweep, {"n_train": 16} | settings).resolve()[0].spec
        return configuration_of(spec), domain_of(spec)

    first = digest()
    same: list[dict[str, object]] = [
        {"seed": 9, "n_train": 32, "steps": 77, "subset": 1},
        {"measurement.schedule": {"kind": "log_spaced", "first": 9, "count": 4}, "n_generated": 64},
    ]
    assert [digest(**settings) for settings in same] == [first, first]
    other = [digest(lr=1e-3), digest(batch_size=32), digest(width=8), digest(**{"measurement.sampler.steps": 50})]
    assert all(configuration != first[0] and domain == first[1] for configuration, domain in other)
    assert digest(**{"onsets.tau_mem.level": 0.1})[1] != first[1]


FORECAST = Forecast(step=10, median=100, low=80, high=125, low_95=70, high_95=140, plain=50)


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (reached(100), Verdict.INSIDE),
        (reached(79), Verdict.EARLIER),
        (reached(126), Verdict.LATER),
        (not_by(90), Verdict.OPEN),
        (not_by(126), Verdict.LATER),
        (None, Verdict.OPEN),
    ],
)
def test_a_forecast_is_judged_by_its_80_percent_interval_and_a_bound_judges_only_beyond_it(
    outcome: Onset | None, expected: Verdict
) -> None:
    assert verdict(FORECAST, outcome) is expected


def scored(outcome: Onset, made: Forecast = FORECAST) -> ScoredForecast:
    kept = KeptForecast(**made.model_dump(), made_at=0.0, verdict=verdict(made, outcome))
    return ScoredForecast(run_id="r", experiment_id="e", label="", n_train=8, configuration="c", forecast=kept, outcome=outcome)


def test_the_score_counts_what_is_known_and_says_what_is_not() -> None:
    made = score([scored(reached(100)), scored(reached(130)), scored(not_by(90)), scored(not_by(130)), scored(not_by(150))])
    assert (made.coverage_80.covered, made.coverage_80.count) == (1, 4)
    assert (made.coverage_95.covered, made.coverage_95.count) == (2, 3)  # Not by 130 does not refute an upper end of 140.
    assert (made.n_open, made.n_refuted, made.n_compared) == (1, 2, 2)
    assert made.error == pytest.approx(np.log(1.3) / 2)
    assert made.error_plain == pytest.approx((np.log(2) + np.log(2.6)) / 2)
    assert made.coverage_80.low < 0.25 < made.coverage_80.high


def test_only_a_forecast_that_says_something_new_is_kept() -> None:
    same, moved = FORECAST.model_copy(update={"step": 20, "high": 128.0}), FORECAST.model_copy(update={"high": 133.0})
    none = Forecast(step=1, median=None, low=None, high=None, low_95=None, high_95=None, reason="why")
    assert [materially_new(FORECAST, None), materially_new(same, FORECAST), materially_new(moved, FORECAST)] == [True, False, True]
    assert [materially_new(none, FORECAST), materially_new(none, none), materially_new(FORECAST, none)] == [True, False, True]


def test_a_forecast_with_half_its_numbers_or_both_numbers_and_a_reason_is_refused() -> None:
    whole = FORECAST.model_dump()
    for change in ({"high": None}, {"median": 200.0}, {"reason": "none"}):
        with pytest.raises(ValueError, match="forecast"):
            Forecast(**whole | change)
