"""The law over a sweep: the exponent, its interval, and what is not claimed."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from tauscope.analysis.scaling import fit_sweep
from tauscope.contracts.onsets import Onset, OnsetStatus, PowerLawFit
from tauscope.contracts.summary import RunSummary


def run(n: int, tau: float | None, *, seed: int = 0, low: float | None = None, spread: float = 1.2, **params: object) -> RunSummary:
    if tau is None:
        onset = Onset(value=None, low=low, high=None, status=OnsetStatus.CENSORED, metric="f_mem", level=0.25)
    else:
        onset = Onset(value=tau, low=tau / spread, high=tau * spread, status=OnsetStatus.REACHED, metric="f_mem", level=0.25)
    return RunSummary(
        id=f"{n}-{seed}", params={"n_train": n, "seed": seed, **params}, state="finished", onsets={"tau_mem": onset}, final={}, seconds=1
    )


def fit(runs: list[RunSummary]) -> PowerLawFit:
    return fit_sweep(runs)["tau_mem_vs_n"]


def test_an_exact_power_law_is_recovered() -> None:
    found = fit([run(n, 2.0 * n**1.3) for n in (16, 32, 64, 128)])
    assert found.exponent == pytest.approx(1.3, abs=1e-3)
    assert found.prefactor == pytest.approx(2.0, rel=0.01)
    assert found.low is not None and found.high is not None
    assert found.low < 1.3 < found.high


def test_wider_onset_intervals_give_a_wider_exponent() -> None:
    narrow, wide = (fit([run(n, 2.0 * n, spread=spread) for n in (16, 32, 64)]) for spread in (1.05, 1.5))
    assert narrow.low is not None and wide.low is not None
    assert wide.low < narrow.low < 1


def test_one_seed_says_that_the_spread_between_runs_is_not_included() -> None:
    assert "run-to-run spread not included" in fit([run(n, 2.0 * n) for n in (16, 32)]).note


def test_three_seeds_bring_the_spread_in_and_cover_the_true_exponent() -> None:
    """Runs that differ by 8 %, far more than their own intervals: 95 % intervals over 40 repetitions."""
    rng, covered, repetitions = np.random.default_rng(0), 0, 40
    for _ in range(repetitions):
        runs = [
            run(n, 3 * n**1.2 * float(np.exp(rng.normal(0, 0.08))), seed=seed, spread=1.01) for n in (16, 32, 64, 128) for seed in range(3)
        ]
        found = fit(runs)
        assert found.low is not None and found.high is not None
        covered += found.low <= 1.2 <= found.high
    assert "included" in found.note
    assert covered >= 35  # 95 % of 40 is 38; tests/science/test_coverage.py counts 500


def test_a_censored_onset_bounds_the_law_from_below() -> None:
    without = fit([run(16, 200.0), run(32, 420.0)])
    with_bound = fit([run(16, 200.0), run(32, 420.0), run(64, None, low=2400)])
    assert without.exponent is not None and with_bound.exponent is not None
    assert with_bound.exponent > without.exponent
    assert (with_bound.points, with_bound.censored) == (2, 1)


def test_quality_that_was_never_reached_is_left_out_of_the_law_and_counted() -> None:
    runs = [run(n, 24.0) for n in (16, 32, 64)] + [run(8, None, low=150)]
    runs = [item.model_copy(update={"onsets": {"tau_gen": item.onsets["tau_mem"]}}) for item in runs]
    found = fit_sweep(runs)["tau_gen_vs_n"]
    assert found.exponent == pytest.approx(0, abs=1e-3)
    assert "1 of 4 runs left out" in found.note


def test_a_single_reached_onset_gives_no_exponent_but_a_reason() -> None:
    found = fit([run(16, 200.0), run(32, None, low=1000)])
    assert found.exponent is None
    assert "two values of n" in found.note


def test_runs_that_differ_otherwise_are_not_mixed() -> None:
    found = fit([run(n, 2.0 * n * w, width_=w) for n in (16, 32) for w in (1, 2)])
    assert found.exponent is None
    assert "width_" in found.note


def test_a_sweep_without_n_has_no_law() -> None:
    assert fit_sweep([run(16, 200.0, seed=1), run(16, 210.0, seed=2)]) == {}


def grid(tau: Callable[[int, int], float], widths: Sequence[int] = (8, 16, 32), seeds: int = 1) -> list[RunSummary]:
    return [run(n, tau(n, w), seed=seed, width=w) for n in (16, 32, 64) for w in widths for seed in range(seeds)]


def test_where_n_and_width_vary_both_exponents_are_fitted_together() -> None:
    fits = fit_sweep(grid(lambda n, w: 50 * n**1.3 / w))
    n, width = fits["tau_mem_vs_n"], fits["tau_mem_vs_width"]
    assert (n.exponent, width.exponent) == (pytest.approx(1.3, abs=1e-3), pytest.approx(-1, abs=1e-3))
    assert n.jointly == {"width": pytest.approx(-1, abs=1e-3)}
    assert width.jointly == {"n": pytest.approx(1.3, abs=1e-3)}
    assert n.prefactor == width.prefactor == pytest.approx(50, rel=0.01)
    assert "one seed per n and W" in n.note


def test_a_value_of_n_with_fewer_seeds_than_the_others_is_said_to_be_one_of_several() -> None:
    three = [run(n, 10.0 * n, seed=seed) for n in (16, 32) for seed in range(3)]
    assert "one seed at some n; three are needed" in fit([*three, run(64, 640.0)]).note
    assert fit([*three, run(16, 160.0, seed=3)]).note.startswith("at least 3 seeds per n")
    assert fit(three).note.startswith("3 seeds per n")


def test_a_width_that_varies_alone_has_its_own_law() -> None:
    fits = fit_sweep([run(128, 18000.0 / w, width=w) for w in (8, 16, 32, 64)])
    assert list(fits) == ["tau_gen_vs_width", "tau_mem_vs_width"]
    assert fits["tau_mem_vs_width"].exponent == pytest.approx(-1, abs=1e-3)
    assert fits["tau_mem_vs_width"].variable == "width"


def test_an_axis_given_by_its_full_path_is_the_same_axis() -> None:
    runs = [item.model_copy(update={"params": {"dataset.n_train": item.params["n_train"]}}) for item in [run(16, 32.0), run(32, 64.0)]]
    assert fit(runs).exponent == pytest.approx(1, abs=1e-3)


def test_n_and_width_that_change_together_are_not_told_apart() -> None:
    found = fit_sweep([run(n, 2.0 * n, width=n // 2) for n in (16, 32, 64)])
    assert found["tau_mem_vs_n"].exponent is found["tau_mem_vs_width"].exponent is None
    assert "cannot be told apart" in found["tau_mem_vs_n"].note


def test_a_censored_width_bounds_its_exponent() -> None:
    reached = grid(lambda n, w: 50 * n**1.3 / w, widths=(16, 32))
    late = [run(n, None, low=90.0 * n**1.3, width=8) for n in (16, 32, 64)]
    without, bounded = (fit_sweep(runs)["tau_mem_vs_width"] for runs in (reached, reached + late))
    assert without.exponent is not None and bounded.exponent is not None
    assert bounded.exponent < without.exponent - 0.1
    assert bounded.censored == 3


def test_an_onset_before_the_first_measurement_bounds_the_law_from_above() -> None:
    early = run(8, None)
    onset = Onset(value=None, low=0, high=20, status=OnsetStatus.BEFORE_FIRST, metric="f_mem", level=0.25)
    early = early.model_copy(update={"onsets": {"tau_mem": onset}})
    known = [run(n, 2.0 * n) for n in (16, 32, 64)]
    harmless, binding = fit([*known, early]), fit([*known, early.model_copy(update={"params": {"n_train": 15, "seed": 0}})])
    assert harmless.exponent == pytest.approx(1, abs=0.02)
    assert binding.exponent is not None and binding.exponent > 1.05
    assert "1 onset before the first measurement enters" in binding.note


def test_the_run_to_run_spread_is_measured() -> None:
    rng = np.random.default_rng(0)
    runs = [run(n, 3 * n**1.2 * float(np.exp(rng.normal(0, 0.1))), seed=s, spread=1.01) for n in (16, 32, 64, 128) for s in range(20)]
    assert fit(runs).spread == pytest.approx(0.1, rel=0.2)  # 80 runs: its relative error is 8 %
    assert fit(runs[::20]).spread is None
