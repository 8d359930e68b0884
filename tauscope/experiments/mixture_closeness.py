"""How near samples come to the true centres and to the training points, beside what fresh draws of the population score."""

from collections.abc import Iterator
from functools import cached_property

from torch import Tensor

from tauscope.contracts.points import Point
from tauscope.experiments.measured import diverged_point, measured_point
from tauscope.experiments.mixture_set import MixtureSet
from tauscope.metrics.closeness import mean_nearest, nearest_distances, share_nearer
from tauscope.metrics.neighbours import References

Estimate = tuple[float, float, float]
NAMES = ("e_gen", "e_mem", "nearer_train")


class MixtureCloseness:
    """Measures E_gen, E_mem and the share nearer to training than to held-out points; baselines are computed once.

    Args:
        points: the run's, on the device.
    """

    def __init__(self, points: MixtureSet) -> None:
        self.points = points
        rivals = points.held_out[: len(points.train)]
        self._centres, self._train, self._held_out = (References(part.float()) for part in (points.population.means, points.train, rivals))

    def measured(self, samples: Tensor, step: int) -> list[Point]:
        """Of samples in model units."""
        return [measured_point(step, name, estimate, len(samples)) for name, estimate in self._of(samples)]

    def diverged(self, step: int, count: int) -> list[Point]:
        """The points of samples that are no numbers."""
        return [diverged_point(step, name, count) for name in NAMES]

    def baselines(self, step: int) -> list[Point]:
        """What fresh draws score."""
        return [measured_point(step, f"{name}_floor", estimate, len(self.points.fresh)) for name, estimate in self._fresh]

    @cached_property
    def _fresh(self) -> list[tuple[str, Estimate]]:
        return list(self._of(self.points.fresh))

    def _of(self, samples: Tensor) -> Iterator[tuple[str, Estimate]]:
        to_train = nearest_distances(samples, self._train)
        found = (
            mean_nearest(nearest_distances(samples, self._centres)),
            mean_nearest(to_train),
            share_nearer(to_train, nearest_distances(samples, self._held_out)),
        )
        yield from zip(NAMES, found, strict=True)
