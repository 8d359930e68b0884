"""The Frechet distance on many features equals independent implementations, whichever side of n = d it is computed on."""

import warnings

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm
from torch import nn

from tauscope.metrics.feature_frechet import FeatureReference, distance_to_sets
from tauscope.metrics.frechet import FrechetReference
from tauscope.metrics.intervals import jackknife_interval
from tauscope.metrics.moments import Moments


def correlated(rng: np.random.Generator, count: int, dim: int, shift: float = 0.0) -> np.ndarray:
    """Features with a spectrum that falls, as a network's do."""
    return rng.normal(size=(count, dim)) @ (rng.normal(size=(dim, dim)) / np.arange(1, dim + 1)) + shift


def by_square_root(a: np.ndarray, b: np.ndarray) -> float:
    cov_a, cov_b = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scipy says that a covariance of few samples is singular.
        root = sqrtm(cov_a @ cov_b).real
    return float(((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(cov_a + cov_b - 2 * root))


@pytest.mark.parametrize("count", [20, 63, 64, 65, 400])
def test_it_agrees_with_the_matrix_square_root_with_fewer_and_with_more_samples_than_features(count: int) -> None:
    """A singular covariance costs the square root half its digits (1e-8 of the largest eigenvalue a null direction), hence 1e-5."""
    rng = np.random.default_rng(count)
    samples, real = correlated(rng, count, 64, shift=0.3), correlated(rng, 500, 64)
    assert FeatureReference.of(real).distance(samples) == pytest.approx(by_square_root(samples, real), rel=1e-5)


def test_a_reference_of_fewer_images_than_features_is_compared_with_more_samples() -> None:
    rng = np.random.default_rng(7)
    samples, real = correlated(rng, 400, 64, shift=0.3), correlated(rng, 30, 64)
    assert FeatureReference.of(real).distance(samples) == pytest.approx(by_square_root(samples, real), rel=1e-5)


@pytest.mark.parametrize("count", [40, 300])
def test_it_agrees_with_torchmetrics_on_the_same_features(count: int) -> None:
    """torchmetrics adds float64 sums and takes the eigenvalues of C C'; singular ones cost digits, hence 1e-5."""
    from torchmetrics.image.fid import FrechetInceptionDistance

    class Flat(nn.Module):
        num_features = 48

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return images.double().flatten(1)

    rng = np.random.default_rng(1)
    real, generated = (torch.from_numpy(rng.random((n, 3, 4, 4))) for n in (300, count))
    theirs = FrechetInceptionDistance(feature=Flat(), normalize=True, input_img_size=(3, 4, 4)).set_dtype(torch.float64)
    theirs.update(real, real=True)
    theirs.update(generated, real=False)
    seen = [images.flatten(1).numpy() for images in (real, generated)]
    assert FeatureReference.of(seen[0]).distance(seen[1]) == pytest.approx(float(theirs.compute()), rel=1e-5)


def test_it_agrees_with_the_distance_on_principal_components() -> None:
    rng = np.random.default_rng(2)
    samples, real = correlated(rng, 200, 16), correlated(rng, 300, 16, shift=0.1)
    assert FeatureReference.of(real).distance_interval(samples) == pytest.approx(
        FrechetReference.of(real).distance_interval(samples), rel=1e-9
    )


@pytest.mark.parametrize("count", [48, 96])
def test_leaving_groups_out_gives_the_jackknife_of_the_plain_distance(count: int) -> None:
    """Rows and columns of the small matrix, or sums taken out of sums: either is the distance of the rows that are left."""
    rng = np.random.default_rng(3)
    samples, reference = correlated(rng, count, 64), FeatureReference.of(correlated(rng, 200, 64, shift=0.2))
    # 48 - 2 rows stay below the 64 features, 96 - 3 above, so that one way is taken throughout.
    assert reference.distance_interval(samples) == pytest.approx(jackknife_interval(reference.distance, samples), rel=1e-6)


def test_a_set_has_no_distance_to_itself_though_its_covariance_is_singular() -> None:
    few = correlated(np.random.default_rng(4), 30, 64)
    assert FeatureReference.of(few).distance(few) == pytest.approx(0, abs=1e-5 * np.trace(np.cov(few, rowvar=False)))


def test_extrapolation_takes_away_the_bias_of_few_samples() -> None:
    """Of the same distribution the truth is 0: at 400 samples the plain distance is far from it, the extrapolated one not."""
    rng = np.random.default_rng(5)
    reference = FeatureReference.of(rng.normal(size=(40_000, 32)))
    plain, found = [], []
    for _ in range(20):
        samples = rng.normal(size=(400, 32))
        plain.append(reference.distance(samples))
        found.append(reference.at_infinity(samples))
    assert np.mean(plain) > 0.5  # about d^2 / 4n from the covariance and d / n from the mean
    assert abs(np.mean([value for value, _, _ in found])) < 0.1 * np.mean(plain)
    assert sum(low <= 0 <= high for _, low, high in found) >= 16  # 95 % of 20 is 19; below 16 has a chance of 0.3 %


def test_several_reference_sets_give_the_mean_and_two_deviations_over_them() -> None:
    rng = np.random.default_rng(6)
    sets = tuple(FeatureReference.of(rng.normal(size=(100, 8))) for _ in range(5))
    samples = rng.normal(0.5, 1, size=(200, 8))
    each = np.array([reference.distance(samples) for reference in sets])
    value, low, high = distance_to_sets(sets, samples)
    assert value == pytest.approx(each.mean())
    assert high - value == pytest.approx(2 * each.std(ddof=1))
    assert low == pytest.approx(value - (high - value))


def test_moments_lose_no_digits_far_from_zero_and_give_rows_back() -> None:
    rows = np.random.default_rng(7).normal(size=(3000, 5)).astype(np.float32)
    whole = Moments.of(rows)
    assert np.allclose(whole.covariance, np.cov(rows.astype(float), rowvar=False), rtol=1e-12)
    assert np.allclose((whole - Moments.of(rows[1000:])).covariance, np.cov(rows[:1000].astype(float), rowvar=False), rtol=1e-10)
    far = FeatureReference.of(rows.astype(float) + 1e6)
    assert far.distance(rows.astype(float) + 1e6) == pytest.approx(0, abs=1e-8)
