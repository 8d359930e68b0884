"""The energy distance against SciPy's in one dimension, its closed form for Gaussians, and the coverage of its interval."""

import numpy as np
import pytest
from scipy.stats import energy_distance

from tauscope.metrics.energy_distance import EnergyReference


def test_in_one_dimension_its_biased_form_is_scipys_squared() -> None:
    """SciPy counts the pairs of a point with itself; taking them out leaves ours."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 1)), rng.normal(1, 2, size=(50, 1))
    own, other = (np.abs(part - part.T).sum() for part in (x, y))
    with_itself = own / 60**2 + other / 50**2 - own / (60 * 59) - other / (50 * 49)
    assert EnergyReference(y).distance(x)[0] == pytest.approx(energy_distance(x[:, 0], y[:, 0]) ** 2 + with_itself, rel=1e-9)


def test_it_approaches_the_closed_form_of_two_gaussians_apart() -> None:
    """E|N(m, 2)| for X - Y and E|N(0, 2)| = 2 / sqrt(pi) for both others, one dimension, unit variances."""
    shift = 1.5
    folded = 2 / np.sqrt(np.pi) * np.exp(-(shift**2) / 4) + shift * (1 - 2 * 0.14442218317)  # Phi(-shift / sqrt(2))
    truth = 2 * folded - 4 / np.sqrt(np.pi)
    rng = np.random.default_rng(4)
    value, low, high = EnergyReference(rng.normal(size=(1500, 1))).distance(rng.normal(shift, 1, size=(1500, 1)))
    assert low < truth < high
    assert value == pytest.approx(truth, rel=0.1)


def test_its_interval_covers_the_truth_for_equal_laws_and_for_laws_apart() -> None:
    rng = np.random.default_rng(2)
    truth = EnergyReference(rng.normal(size=(1500, 4))).distance(rng.normal(0.5, 1, (1500, 4)))[0]  # known 6 times better than from 100
    for shift, expected in ((0.0, 0.0), (0.5, truth)):
        found = [EnergyReference(rng.normal(size=(100, 4))).distance(rng.normal(shift, 1, (100, 4))) for _ in range(100)]
        assert sum(low <= expected <= high for _, low, high in found) >= 88  # 95 expected; below 88 has a chance of 0.1 %


def test_it_refuses_too_few_rows() -> None:
    with pytest.raises(ValueError, match="at least four"):
        EnergyReference(np.ones((3, 2)))
