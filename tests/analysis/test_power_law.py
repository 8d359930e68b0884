"""The likelihood of a power law: against closed forms where there are some, and its own gradient."""

import numpy as np
import pytest
from scipy.optimize import check_grad
from scipy.stats import linregress
from scipy.stats import t as student

from tauscope.analysis.power_law import LogOnsets, PowerLaw, _deviance


def onsets(x: np.ndarray, log_tau: np.ndarray, error: float, side: np.ndarray | None = None) -> LogOnsets:
    return LogOnsets(x.reshape(len(x), -1), log_tau, np.full(len(x), error), np.zeros(len(x), int) if side is None else side)


def scattered(seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    x = np.log(np.repeat([16.0, 32, 64, 128], 3))
    return x, 1 + 1.2 * x + np.random.default_rng(seed).normal(0, 0.08, len(x))


def test_with_a_fitted_spread_the_interval_is_that_of_least_squares_with_student_t() -> None:
    """Exactly so where nothing is a bound and the runs' own errors are nothing beside the spread."""
    x, log_tau = scattered()
    line = linregress(x, log_tau)
    half = student.ppf(0.975, len(x) - 2) * line.stderr
    law = PowerLaw(onsets(x, log_tau, 1e-4), with_spread=True)
    assert law.exponents[0] == pytest.approx(line.slope, abs=1e-5)
    assert law.end(0, -1) == pytest.approx(line.slope - half, abs=1e-4)
    assert law.end(0, +1) == pytest.approx(line.slope + half, abs=1e-4)
    assert law.prefactor == pytest.approx(np.exp(line.intercept), rel=1e-3)


def test_without_a_spread_the_interval_is_that_of_weighted_least_squares() -> None:
    x, log_tau = scattered()
    law = PowerLaw(onsets(x, log_tau, 0.1), with_spread=False)
    half = 1.96 * 0.1 / np.sqrt(((x - x.mean()) ** 2).sum())
    assert law.spread is None
    assert law.end(0, +1) == pytest.approx(law.exponents[0] + half, abs=1e-4)


def test_a_departure_has_the_sign_of_the_difference_and_is_one_standard_error_there() -> None:
    x, log_tau = scattered()
    law = PowerLaw(onsets(x, log_tau, 0.1), with_spread=False)
    error = 0.1 / np.sqrt(((x - x.mean()) ** 2).sum())
    assert law.departure(0, law.exponents[0] - error) == pytest.approx(-1, abs=1e-3)
    assert law.departure(0, law.exponents[0] + 2 * error) == pytest.approx(2, abs=1e-3)


def test_two_exponents_are_found_together_although_the_design_is_not_balanced() -> None:
    n, width = np.log([16.0, 32, 64, 64, 128, 128]), np.log([8.0, 8, 16, 32, 32, 8])
    law = PowerLaw(onsets(np.column_stack([n, width]), 2 + 1.3 * n - 0.9 * width, 0.05), with_spread=False)
    assert law.exponents == pytest.approx([1.3, -0.9], abs=1e-4)
    assert law.prefactor == pytest.approx(np.exp(2), rel=1e-3)


@pytest.mark.parametrize("side", [0, 1, -1])
def test_the_gradient_is_that_of_the_likelihood(side: int) -> None:
    x, log_tau = scattered()
    data = onsets(x, log_tau, 0.03, np.where(np.arange(len(x)) < 9, 0, side))
    design = np.column_stack([np.ones(len(x)), x - x.mean()])

    def value(at: np.ndarray) -> float:
        return _deviance(at[:2], float(at[2]), design, log_tau, data, with_spread=True)[0]

    def slope(at: np.ndarray) -> np.ndarray:
        return _deviance(at[:2], float(at[2]), design, log_tau, data, with_spread=True)[1]

    at = np.array([5.2, 1.1, -2.0])
    assert check_grad(value, slope, at) < 1e-6 * np.abs(slope(at)).max()


def test_as_many_measured_onsets_as_coefficients_leave_a_fitted_spread_without_an_interval() -> None:
    x = np.log(np.repeat([16.0, 32.0], 3))
    side = np.array([0, 1, 1, 0, 1, 1])
    law = PowerLaw(onsets(x, 1 + 1.2 * x, 0.05, side), with_spread=True)
    assert law.end(0, -1) is None
    assert law.end(0, +1) is None


def test_a_further_run_is_foretold_by_the_prediction_interval_of_least_squares() -> None:
    """Exactly so where nothing is a bound: s sqrt(1 + 1/m + (x - mean)^2 / Sxx), by Student's t."""
    x, log_tau = scattered()
    at, line, m = np.log(512.0), linregress(x, log_tau), len(x)
    s = np.sqrt(((log_tau - line.intercept - line.slope * x) ** 2).sum() / (m - 2))
    half = student.ppf(0.975, m - 2) * s * np.sqrt(1 + 1 / m + (at - x.mean()) ** 2 / ((x - x.mean()) ** 2).sum())
    found = PowerLaw(onsets(x, log_tau, 1e-4), with_spread=True).further(np.array([at]))
    assert found == pytest.approx(
        (line.intercept + line.slope * at, *(line.intercept + line.slope * at + d * half for d in (-1, 1))), abs=1e-3
    )


def test_a_further_run_is_held_also_where_late_onsets_are_bounds() -> None:
    """Every onset after 600 steps is censored there; the interval still holds a run at n = 512 about as often as it says."""
    held, repetitions, rng = 0, 200, np.random.default_rng(0)
    x = np.log(np.repeat([16.0, 32, 64, 128], 2))
    for _ in range(repetitions):
        log_tau = 1 + 1.2 * x + rng.normal(0, 0.1, len(x))
        late = log_tau > np.log(600)
        law = PowerLaw(onsets(x, np.where(late, np.log(600), log_tau), 0.02, late.astype(int)), with_spread=True)
        found = law.further(np.array([np.log(512.0)]))
        assert found is not None
        held += found[1] <= 1 + 1.2 * np.log(512.0) + rng.normal(0, 0.1) <= found[2]
    assert held >= 0.91 * repetitions  # 95 % of 200 is 190; three standard deviations below is 181


def test_nothing_is_foretold_without_a_scatter_or_a_run_to_spare() -> None:
    x, log_tau = scattered()
    assert PowerLaw(onsets(x, log_tau, 0.1), with_spread=False).further(np.array([5.0])) is None
    assert PowerLaw(onsets(x[[0, 11]], log_tau[[0, 11]], 0.1), with_spread=True).further(np.array([5.0])) is None
