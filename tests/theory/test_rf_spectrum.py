"""The limiting spectrum of U against samples, counts and another solver."""

from functools import cache

import numpy as np
import pytest
from scipy.optimize import root

from tauscope.theory.errors import TheoryError
from tauscope.theory.rf_covariance import draw_equivalent, equivalent_covariances
from tauscope.theory.rf_dynamics import Solved
from tauscope.theory.rf_model import Level, RandomFeatures
from tauscope.theory.rf_spectrum import Histogram, Spectrum, sampled_eigenvalues, stieltjes

found_spectrum = cache(Spectrum.of)
USUAL = RandomFeatures(psi_p=64, psi_n=8, d=100, t=0.01)
TWO_LEVELS = RandomFeatures(psi_p=64, psi_n=8, d=100, t=0.01, levels=(Level(1.0, 0.5), Level(0.05, 0.5)))


@pytest.mark.parametrize(
    "model",
    [USUAL, TWO_LEVELS, RandomFeatures(1024, 64, 100, 0.01), RandomFeatures(9.05, 8, 100, 0.1), RandomFeatures(8, 0.5, 100, 0.1, "erf")],
)
def test_the_bulks_hold_all_but_the_atom(model: RandomFeatures) -> None:
    spectrum = found_spectrum(model)
    # The trapezoid rule on 2,001 nodes, at a height of 1e-7 of each one's distance from the atom.
    assert spectrum.continuous_mass == pytest.approx((1 + model.psi_n) / model.psi_p, rel=3e-6)
    assert spectrum.atom_mass == pytest.approx(1 - (1 + model.psi_n) / model.psi_p, rel=1e-12)
    assert spectrum.atom < spectrum.bulks[0].low


@pytest.mark.parametrize(("model", "draws"), [(USUAL, 1), (TWO_LEVELS, 1), (RandomFeatures(8, 4, 100, 0.1), 4)])
def test_the_density_is_the_histogram_of_a_sampled_u(model: RandomFeatures, draws: int) -> None:
    rng, spectrum = np.random.default_rng(0), found_spectrum(model)
    values = np.concatenate([sampled_eigenvalues(model, rng) for _ in range(draws)])
    edges = np.geomspace(0.99 * min(values.min(), spectrum.bulks[0].low), 1.01 * max(values.max(), spectrum.bulks[-1].high), 41)
    found = Histogram.of(model, values, edges, spectrum.masses(edges), draws=draws)
    assert found.count == draws * (model.n + model.d)
    # All eigenvalues are in the bins: none was cut off.
    assert found.sampled.sum() == pytest.approx((model.n + model.d) / model.p, rel=1e-12)
    assert found.l1 < 0.03


def test_a_histogram_that_leaves_an_eigenvalue_out_is_refused() -> None:
    with pytest.raises(TheoryError, match="1 eigenvalues lie outside"):
        Histogram.of(USUAL, np.array([0.5, 2.0]), np.array([0.1, 1.0]), np.array([1.0]), draws=1)


def test_each_bulk_counts_its_directions() -> None:
    spectrum = found_spectrum(USUAL)
    assert spectrum.names() == ("noise", "training points", "population")
    assert [round(bulk.mass * USUAL.psi_p, 4) for bulk in spectrum.bulks] == [1.0, 7.0, 1.0]
    values = np.linalg.eigvalsh(equivalent_covariances(USUAL, draw_equivalent(USUAL, np.random.default_rng(3))).u)
    # Random matrices are rigid: no eigenvalue strays into a gap as wide as these.
    gaps = [(one.high * other.low) ** 0.5 for one, other in zip(spectrum.bulks, spectrum.bulks[1:], strict=False)]
    assert np.diff([0, *np.searchsorted(values, gaps), len(values)]).tolist() == [100, 700, 100]


def test_a_level_of_sigma_splits_the_population_s_bulk() -> None:
    assert found_spectrum(TWO_LEVELS).names().count("population") == 2


def test_the_saddle_point_is_that_of_levenberg_and_marquardt() -> None:
    c, ratio = USUAL.constants, USUAL.psi_p / USUAL.psi_n
    alpha, x = (c.a * USUAL.decay) ** 2, np.array([0.005, 0.2, 3.0, 20.0])
    q, r = stieltjes(USUAL, x, height=1e-3)

    def residual(values: np.ndarray, z: complex) -> np.ndarray:
        one, other = values[0] + 1j * values[1], values[2] + 1j * values[3]
        inner = 1 + ratio * (alpha * other + c.v2 * one)
        m = c.b**2 + alpha / inner
        f_1 = one * (c.s2 - z + c.v2 / inner + m / (1 + one * USUAL.psi_p * m)) - 1
        f_2 = other - one / (1 + one * USUAL.psi_p * m)
        return np.array([f_1.real, f_1.imag, f_2.real, f_2.imag])

    for place, at in enumerate(x):
        begin = np.array([q[place].real, q[place].imag, r[place].real, r[place].imag])
        found = root(residual, 1.05 * begin, args=(c.s2 + at * (1 + 1e-3j),), method="lm", options={"xtol": 1e-13, "ftol": 1e-13}).x
        np.testing.assert_allclose(begin, found, rtol=1e-7)


def test_a_bulk_is_learnt_at_its_time_scale() -> None:
    spectrum = found_spectrum(USUAL)
    solved = Solved.of(USUAL, equivalent_covariances(USUAL, draw_equivalent(USUAL, np.random.default_rng(0))))
    training = spectrum.bulks[1]
    inside = (solved.eigenvalues > training.low) & (solved.eigenvalues < training.high)
    learnt = solved.flow_modes(np.array([spectrum.timescale(training.median)]))[0] * solved.eigenvalues
    # At the median's time scale half of the bulk's modes have less than 1/e to go; finite d moves the median by a percent or so.
    assert np.mean(learnt[inside] > 1 - np.exp(-1)) == pytest.approx(0.5, abs=0.03)


def test_too_few_features_for_an_atom_are_refused() -> None:
    with pytest.raises(TheoryError, match=r"psi_p = 8 is below 1 \+ psi_n = 9"):
        Spectrum.of(RandomFeatures(8, 8, 100, 0.01))


def test_an_activation_without_gaussian_equivalent_has_no_spectrum_here() -> None:
    with pytest.raises(TheoryError, match="Use the exact U"):
        Spectrum.of(RandomFeatures(64, 8, 100, 0.01, "relu"))
