"""Marginal, autocorrelation and spectral distances against closed forms and an independent reference."""

import numpy as np
import pytest
import scipy.stats

from tauscope.metrics.window_quality import (
    DISTANCES,
    autocorrelation,
    distance_interval,
    marginal_distance,
    marginal_distances,
    spectral_distance,
    spectrum,
)


def autoregression(count: int, length: int, phi: float, seed: int) -> np.ndarray:
    """Independent windows of a stationary AR(1) of variance 1, shape [count, 2, length]."""
    rng = np.random.default_rng(seed)
    x = np.empty((count, 2, length))
    x[..., 0] = rng.standard_normal((count, 2))
    for i in range(1, length):
        x[..., i] = phi * x[..., i - 1] + (1 - phi**2) ** 0.5 * rng.standard_normal((count, 2))
    return x


def test_the_marginal_distance_is_scipys() -> None:
    x, y = autoregression(60, 12, 0.5, seed=0), 1.3 * autoregression(41, 12, 0.5, seed=1) + 0.4
    expected = [scipy.stats.wasserstein_distance(x[:, c].ravel(), y[:, c].ravel()) for c in range(2)]
    np.testing.assert_allclose(marginal_distances(x, y), expected, rtol=1e-12)


def test_a_shift_is_its_own_marginal_distance() -> None:
    x = autoregression(50, 12, 0.5, seed=2)
    assert marginal_distance(x + np.array([[0.7], [0.1]]), x) == pytest.approx(0.4, rel=1e-12)


def test_the_autocorrelation_of_an_autoregression_is_a_power_of_its_coefficient() -> None:
    found = autocorrelation(autoregression(4000, 24, 0.8, seed=3))
    # 4,000 windows: the standard error of a correlation is below 0.01, and this is five of them.
    np.testing.assert_allclose(found, np.broadcast_to(0.8 ** np.arange(1, 13), (2, 12)), atol=0.05)


def test_the_spectrum_of_a_sine_has_one_peak_and_doubling_adds_six_decibels() -> None:
    phase = np.random.default_rng(4).uniform(0, 2 * np.pi, (200, 1, 1))
    x = np.sin(2 * np.pi * 5 * np.arange(32) / 32 + phase)
    assert int(spectrum(x)[0].argmax()) == 4  # Frequency 0 is left out.
    assert spectral_distance(2 * x, x) == pytest.approx(20 * np.log10(2), rel=1e-9)


@pytest.mark.parametrize("name", DISTANCES)
def test_a_set_is_no_distance_from_itself_and_another_process_is(name: str) -> None:
    x, other = autoregression(300, 16, 0.8, seed=5), 1.5 * autoregression(300, 16, 0.2, seed=6)
    assert DISTANCES[name](x, x) == 0.0
    _, low, _ = distance_interval(name, other, x)
    _, _, floor_high = distance_interval(name, autoregression(300, 16, 0.8, seed=7), x)
    assert low > floor_high


def test_the_interval_holds_the_distance_of_a_shift() -> None:
    """Two standard deviations apart the distance is the difference of the means, where a jackknife is right: 57 of 60 are expected."""
    reference = autoregression(200, 8, 0.5, seed=8)
    truth = 2.0 - float(reference.mean())
    held = 0
    for seed in range(60):
        _, low, high = distance_interval("marginal", autoregression(64, 8, 0.5, seed=100 + seed) + 2.0, reference)
        held += low <= truth <= high
    assert held >= 51  # Of a binomial of 60 and 0.95 fewer come out twice in 1,000 times.


def test_the_interval_of_windows_that_are_alike_in_time_is_wider_when_neighbours_go_together() -> None:
    """One window a day for a year, each like the days around it."""
    drift = autoregression(1, 384, 0.98, seed=9)[0, 0]
    x = autoregression(384, 8, 0.3, seed=10) + drift[:, None, None]
    reference = autoregression(1000, 8, 0.3, seed=11)

    def width(in_time: bool) -> float:
        _, low, high = distance_interval("marginal", x, reference, in_time=in_time)
        return high - low

    assert width(True) > 1.5 * width(False)
    assert distance_interval("marginal", x, reference, in_time=True)[0] == pytest.approx(marginal_distance(x, reference), rel=1e-12)
