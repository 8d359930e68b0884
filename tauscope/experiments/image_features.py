"""Qualities of generated images on the features of one network, beside what real held-out and raw training images score."""

from collections.abc import Callable
from functools import cached_property

import torch
from torch import Tensor

from tauscope.contracts.points import Point
from tauscope.experiments.image_set import ImageSet
from tauscope.experiments.measured import diverged_point
from tauscope.features.cache import FeatureCache
from tauscope.features.network import FeatureNetwork
from tauscope.features.registry import build_features
from tauscope.metrics.distinct_rows import first_of_equals
from tauscope.metrics.feature_frechet import Estimate
from tauscope.metrics.quality import Qualities, RealFeatures
from tauscope.specs.features import Features

Between = Callable[[], None]
Measured = dict[str, Estimate | str]


class ImageFeatures:
    """Measures one entry of ``measurement.features``; the network, references and baselines are prepared once.

    The first held-out images are the floor, as many as there are samples where there are enough; the others are the reference.
    Images are looked at as the bytes that a file would hold.

    Args:
        spec: the network, its budget and what is measured.
        images: the run's images, on the device.
        n_generated: samples a checkpoint, of which the first ``spec.samples`` are measured.
        cache: where features are kept.
    """

    def __init__(self, spec: Features, images: ImageSet, n_generated: int, cache: FeatureCache) -> None:
        self.spec = spec
        self.images = images
        self.count = spec.count(n_generated)
        self.cache = cache
        floor, self._each = spec.parts(len(images.held_out), n_generated)
        self._floor = _bytes(images.held_out[:floor])
        self._held_out = _bytes(images.held_out[floor : floor + spec.sets * self._each])
        self._train = _bytes(images.train[: spec.train])
        self._prepared: Qualities | None = None
        self._scores: tuple[Measured, Measured] | None = None

    def points(self, generated: Tensor, step: int, *, between: Between) -> list[Point]:
        """Every chosen quality of generated images, pixels in [0, 1]; ``between`` is called between any two blocks of them."""
        return self._points(self._measured(_bytes(generated[: self.count]), between), step, self.count)

    def baselines(self, step: int, *, between: Between) -> list[Point]:
        """The same of real held-out images, and of the raw training images: what perfect samples score, and a perfect copier."""
        floor, train = self._baselines(between)
        return [
            *self._points(floor, step, len(self._floor), "_floor"),
            *self._points(train, step, min(len(self._train), self.count), "_train"),
        ]

    def diverged(self, step: int) -> list[Point]:
        """The points of samples that are not images."""
        return [diverged_point(step, self.spec.metric_name(name), self.count) for name in self.spec.measured]

    def _points(self, found: Measured, step: int, count: int, ending: str = "") -> list[Point]:
        return [_point(step, self.spec.metric_name(name) + ending, estimate, count) for name, estimate in found.items()]

    def _measured(self, images: Tensor, between: Between) -> Measured:
        qualities = self._qualities(between)
        return qualities.of(self.cache.features(self._network, images, between=between))

    def _baselines(self, between: Between) -> tuple[Measured, Measured]:
        if self._scores is None:
            train = self._measured(self._train[: self.count], between)
            # To itself the training set has no distance; there is nothing to learn from that.
            train.pop("frechet_to_train", None)
            self._scores = self._measured(self._floor, between), train
        return self._scores

    def _qualities(self, between: Between) -> Qualities:
        if self._prepared is None:
            held_out = self.cache.features(self._network, self._held_out, between=between)
            train = self.cache.features(self._network, self._train, between=between)
            sets = tuple(held_out[k * self._each : (k + 1) * self._each] for k in range(self.spec.sets))
            distinct = train[first_of_equals(self._train.flatten(1)).cpu().numpy()]
            self._prepared = Qualities(RealFeatures(sets, held_out, train, distinct), self.spec.measured)
        return self._prepared

    @cached_property
    def _network(self) -> FeatureNetwork:
        return build_features(self.spec, self._held_out, self.images.train.device)


def _point(step: int, metric: str, estimate: Estimate | str, count: int) -> Point:
    if isinstance(estimate, str):
        return Point(step=step, metric=metric, value=None, count=count, reason=estimate)
    value, low, high = estimate
    return Point(step=step, metric=metric, value=value, low=low, high=high, count=count)


def _bytes(pixels: Tensor) -> Tensor:
    return (255 * pixels).round().to(torch.uint8)
