"""How close generated images come to real held-out ones, beside what real images and the training set itself score."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from torch import Tensor

from tauscope.contracts.points import Point
from tauscope.experiments.image_features import ImageFeatures
from tauscope.experiments.image_set import ImageSet
from tauscope.experiments.measured import diverged_point, measured_point
from tauscope.features.cache import FeatureCache
from tauscope.metrics.frechet import FrechetReference, PrincipalComponents
from tauscope.specs import ImageDdpmSpec


class ImageQuality:
    """Measures the Frechet distance to held-out images, and what the spec's feature networks see; references are computed once.

    Args:
        spec: the run.
        images: its images, on the device.
    """

    def __init__(self, spec: ImageDdpmSpec, images: ImageSet) -> None:
        self.spec = spec
        self.images = images
        measurement, cache = spec.measurement, FeatureCache.default()
        self.features = [ImageFeatures(features, images, measurement.n_generated, cache) for features in measurement.features]

    def points(self, generated: Tensor, step: int, *, between: Callable[[], None]) -> list[Point]:
        """The distance of generated images, shape (N, C, H, W), pixels in [0, 1]; ``between`` is called while features are computed."""
        frechet = measured_point(step, "frechet_pca", self._frechet.distance(generated.cpu().numpy()), len(generated))
        return [frechet, *(point for features in self.features for point in features.points(generated, step, between=between))]

    def baselines(self, step: int, *, between: Callable[[], None]) -> list[Point]:
        """What real held-out images score, and what the raw training images do."""
        frechet = [measured_point(step, name, estimate, count) for name, (estimate, count) in self._scores.items()]
        return [*frechet, *(point for features in self.features for point in features.baselines(step, between=between))]

    def diverged(self, step: int, count: int) -> list[Point]:
        """The points of samples that are not images."""
        return [diverged_point(step, "frechet_pca", count), *(point for features in self.features for point in features.diverged(step))]

    @cached_property
    def _scores(self) -> dict[str, tuple[tuple[float, float, float], int]]:
        floor, train = self._frechet.floor, self.images.train.cpu().numpy()
        return {
            "frechet_pca_floor": (self._frechet.distance(floor), len(floor)),
            "frechet_pca_train": (self._frechet.distance(train), len(train)),
        }

    @cached_property
    def _frechet(self) -> "HeldOutFrechet":
        return HeldOutFrechet.of(
            self.images.held_out.cpu().numpy(),
            n_floor=self.spec.measurement.n_generated,
            components=self.spec.measurement.frechet_components,
        )


@dataclass(frozen=True)
class HeldOutFrechet:
    """Components and reference fitted on one part of the held-out images; the other part gives the real-against-real floor."""

    components: PrincipalComponents
    reference: FrechetReference
    floor: np.ndarray

    @classmethod
    def of(cls, held_out: np.ndarray, *, n_floor: int, components: int) -> "HeldOutFrechet":
        n_floor = min(n_floor, len(held_out) // 2)
        fitted = PrincipalComponents.of(held_out[n_floor:], components)
        return cls(fitted, FrechetReference.of(fitted.features(held_out[n_floor:])), held_out[:n_floor])

    def distance(self, images: np.ndarray) -> tuple[float, float, float]:
        return self.reference.distance_interval(self.components.features(images))
