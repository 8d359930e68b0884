"""The Frechet distance equals its closed form for Gaussians and orders real data as it must."""

import numpy as np
import pytest
from scipy.linalg import sqrtm

from tauscope.datasets import load_split
from tauscope.metrics.frechet import FrechetReference, PrincipalComponents
from tauscope.specs.dataset import DatasetSpec


def test_it_is_the_closed_form_for_gaussians_with_commuting_covariances() -> None:
    """|m - m'|^2 + sum (s - s')^2 for diagonal covariances; 200,000 samples leave about 1 % of error."""
    rng = np.random.default_rng(0)
    a = rng.normal([0, 1, 2], [1.0, 2.0, 0.5], size=(200_000, 3))
    b = rng.normal([1, 1, 0], [1.5, 1.0, 0.5], size=(200_000, 3))
    expected = 1 + 4 + 0.5**2 + 1.0**2
    assert FrechetReference.of(b).distance(a) == pytest.approx(expected, rel=0.01)


def test_it_agrees_with_the_matrix_square_root_for_general_covariances() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(300, 8)) @ rng.normal(size=(8, 8)), rng.normal(size=(300, 8)) @ rng.normal(size=(8, 8)) + 1
    cov_a, cov_b = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    expected = ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(cov_a + cov_b - 2 * sqrtm(cov_a @ cov_b).real)
    assert FrechetReference.of(b).distance(a) == pytest.approx(expected, rel=1e-9)


def test_it_is_zero_of_a_set_to_itself_even_when_the_covariance_is_singular() -> None:
    rng = np.random.default_rng(2)
    few = rng.normal(size=(5, 16))
    assert FrechetReference.of(few).distance(few) == pytest.approx(0, abs=1e-9)


def test_on_digits_noise_is_farther_than_few_training_images_and_these_than_real_ones() -> None:
    held_out = load_split(DatasetSpec(n_train=16)).held_out / 255.0
    few = load_split(DatasetSpec(n_train=16)).train / 255.0
    components = PrincipalComponents.of(held_out[:600], 16)
    reference = FrechetReference.of(components.features(held_out[:600]))
    noise = np.random.default_rng(3).random((384, 1, 8, 8))
    real, copier, bad = (reference.distance(components.features(images)) for images in (held_out[600:984], few, noise))
    assert real < copier < bad


def test_the_interval_holds_the_distance_and_covers_the_truth_of_its_mean() -> None:
    """The jackknife interval is for the expected distance at this sample count; over 60 repetitions it covers it."""
    rng = np.random.default_rng(4)
    reference = FrechetReference.of(rng.normal(size=(2000, 4)))
    draws = [reference.distance_interval(rng.normal(0.3, 1.0, size=(256, 4))) for _ in range(60)]
    truth = np.mean([value for value, _, _ in draws])
    covered = sum(low <= truth <= high for _, low, high in draws)
    assert covered >= 51  # 95 % of 60 is 57; below 51 has a chance of 0.4 % if the coverage is 93 %
