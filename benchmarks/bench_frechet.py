"""The Frechet distance at 2,048 features against scipy's matrix square root and torchmetrics, on the same features in one run.

What is timed begins where features, or for many samples their sums, are there: sums are taken while features are computed. The root of the
reference is not in it either; it is taken once a data set. Seconds of CPU on one thread, glibc's allocator; ours the least of several.
"""

import time
import warnings
from collections.abc import Callable

import numpy as np
import torch
from scipy.linalg import sqrtm
from torch import nn
from torchmetrics.image.fid import FrechetInceptionDistance

from tauscope.metrics.feature_frechet import FeatureReference
from tauscope.metrics.moments import Moments

FEATURES, REFERENCE, FEW, MANY = 2048, 4096, 500, 10_000


def least(work: Callable[[], float], repeats: int) -> tuple[float, float]:
    """The value, and the least of several times."""
    times, value = [], 0.0
    for _ in range(repeats):
        start = time.process_time()
        value = work()
        times.append(time.process_time() - start)
    return value, min(times)


def features(rng: np.random.Generator, count: int, shift: float) -> np.ndarray:
    """Non-negative, correlated, a spectrum that falls: as Inception's are."""
    mixing = rng.standard_normal((64, FEATURES)) / np.sqrt(np.arange(1, 65))[:, None]
    return np.maximum(rng.standard_normal((count, 64)) @ mixing + rng.standard_normal((count, FEATURES)) + shift, 0)


def by_square_root(samples: np.ndarray, mean: np.ndarray, covariance: np.ndarray) -> float:
    """As pytorch-fid computes it."""
    own = np.cov(samples, rowvar=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        root = sqrtm(own @ covariance).real
    return float(((samples.mean(0) - mean) ** 2).sum() + np.trace(own) + np.trace(covariance) - 2 * np.trace(root))


class Given(nn.Module):
    """Features that are there already."""

    num_features = FEATURES

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.flatten(1)


def by_torchmetrics(real: np.ndarray) -> FrechetInceptionDistance:
    metric = FrechetInceptionDistance(feature=Given(), normalize=True, input_img_size=(FEATURES, 1, 1)).set_dtype(torch.float64)
    metric.update(torch.from_numpy(real)[:, :, None, None], real=True)
    return metric


def main() -> None:
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    real = features(rng, REFERENCE, 0.0)
    mean, covariance = real.mean(0), np.cov(real, rowvar=False)
    start = time.process_time()
    reference = FeatureReference.of(real)
    _ = reference.root
    print(f"{FEATURES} features, 1 thread; the reference's moments and root, once: {time.process_time() - start:.2f} s", flush=True)
    theirs = by_torchmetrics(real)
    for count, repeats in ((FEW, 5), (MANY, 3)):
        samples = features(rng, count, 0.05)
        moments = Moments.of(samples - reference.shift)
        ours, seconds = least(lambda: reference.distance(samples) if count == FEW else reference.distance_of(moments), repeats)  # noqa: B023
        root, root_seconds = least(lambda: by_square_root(samples, mean, covariance), 1)  # noqa: B023
        theirs.update(torch.from_numpy(samples)[:, :, None, None], real=False)
        metric, metric_seconds = least(lambda: float(theirs.compute()), 1)
        for total in (theirs.fake_features_sum, theirs.fake_features_cov_sum, theirs.fake_features_num_samples):
            total.zero_()
        print(
            f"n = {count:,}: {seconds:.3f} s; sqrtm {root_seconds:.1f} s, {root_seconds / seconds:.0f} times as long; torchmetrics "
            f"{metric_seconds:.1f} s, {metric_seconds / seconds:.0f} times; distances apart by {abs(root / ours - 1):.0e} and "
            f"{abs(metric / ours - 1):.0e}",
            flush=True,
        )
    _, seconds = least(lambda: reference.distance_interval(samples[:FEW])[0], 1)
    print(f"with its jackknife interval over 32 groups, n = {FEW}: {seconds:.2f} s")


if __name__ == "__main__":
    main()
