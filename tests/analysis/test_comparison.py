"""Two sweeps: whether their exponents differ, and when that cannot be said."""

import numpy as np
import pytest

from tauscope.analysis.comparison import compare_laws
from tauscope.contracts.comparison import ExponentComparison
from tauscope.contracts.onsets import Onset, OnsetStatus
from tauscope.contracts.summary import RunSummary


def sweep(
    exponent: float,
    *,
    seeds: int = 3,
    sizes: tuple[int, ...] = (16, 32, 64, 128),
    scatter: float = 0.05,
    level: float = 0.25,
    seed: int = 0,
) -> list[RunSummary]:
    rng = np.random.default_rng(seed)

    def run(n: int, number: int) -> RunSummary:
        tau = 3 * n**exponent * float(np.exp(rng.normal(0, scatter)))
        onset = Onset(value=tau, low=tau / 1.05, high=tau * 1.05, status=OnsetStatus.REACHED, metric="f_mem", level=level)
        params = {"n_train": n, "seed": number}
        return RunSummary(id=f"{n}-{number}", params=params, state="finished", onsets={"tau_mem": onset}, final={}, seconds=1)

    return [run(n, number) for n in sizes for number in range(seeds)]


def compared(first: list[RunSummary], second: list[RunSummary]) -> ExponentComparison:
    return compare_laws(("one", first), ("two", second)).exponents["tau_mem_vs_n"]


def test_an_exponent_that_differs_is_told_with_interval_and_p_value() -> None:
    found = compared(sweep(1.0), sweep(1.4, seed=1))
    assert found.difference is not None and found.low is not None and found.high is not None and found.p_value is not None
    assert found.low < 0.4 < found.high
    assert found.low > 0.2
    assert found.p_value < 0.001
    assert "run-to-run spread included" in found.note


def test_the_same_exponent_is_not_told_apart_from_itself() -> None:
    found = compared(sweep(1.2), sweep(1.2, seed=1))
    assert found.low is not None and found.high is not None and found.p_value is not None
    assert found.low < 0 < found.high
    assert found.p_value > 0.05


def test_interval_and_p_value_agree_on_what_is_excluded() -> None:
    for exponent in np.linspace(1.0, 1.3, 7):
        found = compared(sweep(1.0), sweep(float(exponent), seed=2))
        assert found.low is not None and found.high is not None and found.p_value is not None
        assert (found.p_value < 0.05) == (not found.low < 0 < found.high)


def test_exchanging_the_sweeps_turns_the_sign_and_nothing_else() -> None:
    there, back = compared(sweep(1.0), sweep(1.3, seed=1)), compared(sweep(1.3, seed=1), sweep(1.0))
    assert there.difference == pytest.approx(-back.difference)  # type: ignore[operator]
    assert there.low == pytest.approx(-back.high, abs=1e-4)  # type: ignore[operator]
    assert there.p_value == pytest.approx(back.p_value, rel=1e-3)


def test_one_seed_gives_a_labelled_interval_and_no_p_value() -> None:
    found = compared(sweep(1.0), sweep(1.4, seeds=1))
    assert found.difference is not None
    assert found.p_value is None
    assert "run-to-run spread not included in the second sweep" in found.note


def test_a_sweep_without_an_exponent_is_not_compared_and_the_reason_is_told() -> None:
    found = compared(sweep(1.0), sweep(1.0, sizes=(16,)) + [run.model_copy(update={"onsets": {}}) for run in sweep(1.0, sizes=(32,))])
    assert found.difference is found.low is found.p_value is None
    assert "no exponent in the second sweep: needs the onset at two values of n" in found.note


def test_n_that_varies_in_one_sweep_alone_is_told() -> None:
    assert compared(sweep(1.0), sweep(1.0, sizes=(16,))).note == "n does not vary in the second sweep"


def test_onsets_read_at_different_levels_are_not_compared() -> None:
    assert "defined differently: f_mem at 0.25 in the first, f_mem at 0.1 in the second" in compared(sweep(1.0), sweep(1.0, level=0.1)).note


def test_different_ranges_of_n_are_named() -> None:
    assert "n differs: 16 to 128 in the first, 64 to 512 in the second" in compared(sweep(1.0), sweep(1.0, sizes=(64, 128, 512))).note


def test_failed_runs_take_no_part() -> None:
    failed = [run.model_copy(update={"state": "failed", "onsets": {}, "params": {"n_train": 7, "extra": 1}}) for run in sweep(1.0)]
    assert compared(sweep(1.0) + failed, sweep(1.4)) == compared(sweep(1.0), sweep(1.4))
