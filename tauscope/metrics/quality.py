"""The qualities that a spec can ask for on the features of a network, each prepared once against the reference sets."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

import torch
from jaxtyping import Float
from numpy import ndarray

from tauscope.metrics.authenticity import authenticity
from tauscope.metrics.c_t import ThreeSampleTest
from tauscope.metrics.feature_frechet import Estimate, FeatureReference, distance_to_sets
from tauscope.metrics.kid import kernel_distance
from tauscope.metrics.likelihood_gap import likelihood_gap
from tauscope.metrics.memorization import measure_memorization
from tauscope.metrics.neighbours import References
from tauscope.metrics.prdc import Manifold
from tauscope.metrics.vendi import vendi_interval
from tauscope.specs.copying import FEATURE_THRESHOLDS
from tauscope.specs.features import NEIGHBOURS

Features = Float[ndarray, "item dim"]
Measure = Callable[[ndarray], dict[str, Estimate]]


@dataclass(frozen=True)
class RealFeatures:
    """Features of real images that samples are held against, each (images, features).

    Attributes:
        sets: disjoint parts of the held-out images.
        held_out: all of them.
        train: the training images.
        distinct: those of them that repeat no earlier one. By their pixels: the features of equal images differ in rounding where they
            stand in other batches, and a copy of them would then have two nearest ones.
    """

    sets: tuple[ndarray, ...]
    held_out: ndarray
    train: ndarray
    distinct: ndarray


class Qualities:
    """The chosen metrics of the features of samples.

    Args:
        real: what samples are held against.
        metrics: as ``FeatureSpec.measured`` names them.
    """

    def __init__(self, real: RealFeatures, metrics: Collection[str]) -> None:
        self._wanted = metrics
        self._families = [(names, prepare(real)) for names, prepare in _FAMILIES.items() if set(names) & set(metrics)]

    def of(self, features: Features) -> dict[str, Estimate | str]:
        """Each metric's estimate, or why there is none, by name."""
        found: dict[str, Estimate | str] = {}
        for names, measure in self._families:
            try:
                found |= measure(features)
            except ValueError as error:
                found |= dict.fromkeys(names, str(error))
        return {name: found[name] for name in self._wanted}


def _frechet(real: RealFeatures) -> Measure:
    sets, train = tuple(map(FeatureReference.of, real.sets)), FeatureReference.of(real.train)

    def measure(features: ndarray) -> dict[str, Estimate]:
        to_held_out = sets[0].distance_interval(features) if len(sets) == 1 else distance_to_sets(sets, features)
        return {"frechet": to_held_out, "frechet_to_train": train.distance_interval(features)}

    return measure


def _frechet_infinity(real: RealFeatures) -> Measure:
    reference = FeatureReference.of(real.held_out)
    return lambda features: {"frechet_infinity": reference.at_infinity(features)}


def _kid(real: RealFeatures) -> Measure:
    return lambda features: {"kid": kernel_distance(features, real.held_out)}


def _prdc(real: RealFeatures) -> Measure:
    manifold = Manifold.of(real.held_out, NEIGHBOURS)
    return lambda features: vars(manifold.prdc(features))


def _c_t(real: RealFeatures) -> Measure:
    test = ThreeSampleTest(real.train, real.held_out)
    return lambda features: {"c_t": test.statistic(features)}


def _authenticity(real: RealFeatures) -> Measure:
    return lambda features: {"authenticity": authenticity(features, real.distinct)}


def _fld_gap(real: RealFeatures) -> Measure:
    return lambda features: {"fld_gap": likelihood_gap(features, real.train, real.held_out)}


def _vendi(_real: RealFeatures) -> Measure:
    return lambda features: {"vendi": vendi_interval(features)}


def _copies(real: RealFeatures) -> Measure:
    references = References(torch.from_numpy(real.distinct))

    def measure(features: ndarray) -> dict[str, Estimate]:
        found = measure_memorization(torch.from_numpy(features), references, adaptive=False)
        return {name: found.share(threshold) for name, threshold in FEATURE_THRESHOLDS.items()}

    return measure


_FAMILIES: dict[tuple[str, ...], Callable[[RealFeatures], Measure]] = {
    ("frechet", "frechet_to_train"): _frechet,
    ("frechet_infinity",): _frechet_infinity,
    ("kid",): _kid,
    ("precision", "recall", "density", "coverage"): _prdc,
    ("c_t",): _c_t,
    ("authenticity",): _authenticity,
    ("fld_gap",): _fld_gap,
    ("vendi",): _vendi,
    tuple(FEATURE_THRESHOLDS): _copies,
}
