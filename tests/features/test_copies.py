"""Copies counted among the features of training images: by an independent count, whatever batch an image stands in."""

from pathlib import Path

import numpy as np
import pytest
import torch
from jaxtyping import Float
from numpy import ndarray
from sklearn.neighbors import NearestNeighbors

from tauscope.analysis.metrics_info import metric_infos
from tauscope.experiments.image_features import ImageFeatures
from tauscope.experiments.image_set import ImageSet
from tauscope.features.cache import FeatureCache
from tauscope.features.network import Images
from tauscope.metrics.intervals import clopper_pearson
from tauscope.metrics.quality import Qualities, RealFeatures
from tauscope.specs.features import PixelsPcaFeatures
from tests.features.test_measured import images, real, spec

COPIES = PixelsPcaFeatures(components=12, metrics=("copies",), samples=100)
CRITERIA = {"copies": 1 / 3, "copies_quarter": 1 / 4, "copies_half": 1 / 2}


def quality(of: ImageSet, folder: Path) -> ImageFeatures:
    return ImageFeatures(COPIES, of, 100, FeatureCache(folder))


def between() -> None:
    """Nobody waits."""


def test_scikit_learn_counts_the_same_copies_with_the_same_interval() -> None:
    rng = np.random.default_rng(0)
    train = rng.standard_normal((200, 12)).astype(np.float32)
    share = np.linspace(0, 1, 300, dtype=np.float32)[:, None]  # Copies at the one end, new features at the other.
    features = (1 - share) * train[rng.integers(200, size=300)] + share * rng.standard_normal((300, 12)).astype(np.float32)
    distances, _ = NearestNeighbors(n_neighbors=2, algorithm="brute").fit(train.astype(float)).kneighbors(features.astype(float))
    found = Qualities(RealFeatures((train,), train, train, train), COPIES.measured).of(features)
    for name, threshold in CRITERIA.items():
        copies = int((distances[:, 0] / distances[:, 1] < threshold).sum())
        assert 20 < copies < 280
        assert found[name] == (copies / 300, *clopper_pearson(copies, 300))


class _RoundedByPlace:
    """Features that differ by rounding with the place of an image in its batch, as those of networks do."""

    identity = "rounded by place"

    def features(self, seen: Images) -> Float[ndarray, "image feature"]:
        pixels = seen.flatten(1).float().numpy()
        return pixels * (1 + 1e-6 * np.arange(len(pixels), dtype=np.float32)[:, None])


def test_an_image_that_is_trained_on_twice_does_not_hide_its_copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tauscope.experiments.image_features.build_features", lambda *_: _RoundedByPlace())
    once = images(spec())
    twice = ImageSet(torch.cat([once.train, once.train]), once.held_out)
    (found, *_) = quality(twice, tmp_path).points(once.train, 1, between=between)
    assert found.value == 1.0


def test_copies_have_their_control_and_their_copier_and_are_none_among_new_images(tmp_path: Path) -> None:
    measured = quality(images(spec()), tmp_path)
    points = {point.metric: point for point in [*measured.points(real(), 1, between=between), *measured.baselines(1, between=between)]}
    assert points["copies_pixels_pca"].value is not None and points["copies_pixels_pca"].value <= 0.02
    assert points["copies_pixels_pca_floor"].count == 100
    assert points["copies_half_pixels_pca_train"].value == 1.0


def test_too_few_training_images_leave_the_share_missing_with_the_reason(tmp_path: Path) -> None:
    one = images(spec())
    found = quality(ImageSet(one.train[:1].repeat(2, 1, 1, 1), one.held_out), tmp_path).points(real(), 1, between=between)
    assert [point.value for point in found] == [None] * 3
    assert "only 1 distinct" in (found[0].reason or "")


def test_the_definition_says_how_many_training_images_were_looked_at() -> None:
    budget = {"name": "pixels_pca", "metrics": ["copies"], "train": 50}
    assert "the first 50 of 64 training images" in metric_infos(spec(budget))["copies_pixels_pca"].definition
    assert "nearest of 64 training images" in metric_infos(spec(budget | {"train": 64}))["copies_half_pixels_pca"].definition
    assert metric_infos(spec(budget))["copies_pixels_pca"].control == "copies_pixels_pca_floor"
    assert "1/4" in metric_infos(spec(budget))["copies_quarter_pixels_pca"].label
