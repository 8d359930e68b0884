"""The law over a sweep: the exponent, its interval, and what is not claimed."""

import numpy as np
import pytest

from tauscope.analysis.scaling import fit_sweep
from tauscope.contracts.onsets import Onset, OnsetStatus, PowerLawFit
from tauscope.contracts.summary import RunSummary


def run(n: int, tau: float | None, *, seed: int = 0, low: float | None = None, width: float = 1.2, **params: object) -> RunSummary:
    if tau is None:
        onset = Onset(value=None, low=low, high=None, status=OnsetStatus.CENSORED, metric="f_mem", level=0.25)
    else:
        onset = Onset(value=tau, low=tau / width, high=tau * width, status=OnsetStatus.REACHED, metric="f_mem", level=0.25)
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
    narrow, wide = (fit([run(n, 2.0 * n, width=width) for n in (16, 32, 64)]) for width in (1.05, 1.5))
    assert narrow.low is not None and wide.low is not None
    assert wide.low < narrow.low < 1


def test_one_seed_says_that_the_spread_between_runs_is_not_included() -> None:
    assert "run-to-run spread not included" in fit([run(n, 2.0 * n) for n in (16, 32)]).note


def test_three_seeds_bring_the_spread_in_and_cover_the_true_exponent() -> None:
    """Runs that differ by 8 %, far more than their own intervals: 95 % intervals over 40 repetitions."""
    rng, covered, repetitions = np.random.default_rng(0), 0, 40
    for _ in range(repetitions):
        runs = [
            run(n, 3 * n**1.2 * float(np.exp(rng.normal(0, 0.08))), seed=seed, width=1.01) for n in (16, 32, 64, 128) for seed in range(3)
        ]
        found = fit(runs)
        assert found.low is not None and found.high is not None
        covered += found.low <= 1.2 <= found.high
    assert "included" in found.note
    assert covered >= 35  # 95 % of 40 is 38


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
