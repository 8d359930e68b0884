"""How far generated images copy the training images of a run, beside what real held-out images score."""

from functools import cached_property

from torch import Tensor

from tauscope.contracts.points import Point
from tauscope.experiments.measured import diverged_point, measured_point, quantile_points
from tauscope.experiments.training_set import TrainingSet
from tauscope.metrics.memorization import Memorization, measure_memorization
from tauscope.metrics.neighbours import References
from tauscope.specs.copying import ADAPTIVE_NEIGHBOURS, control_of, copy_criteria


class ImageCopying:
    """Measures f_mem by several criteria, and the distances behind it; references and control are computed once.

    Args:
        images: the run's images, or points of any shape, on the device.
    """

    def __init__(self, images: TrainingSet) -> None:
        self.images = images
        self._criteria = copy_criteria(len(images.train))

    def found(self, generated: Tensor) -> Memorization:
        """The nearest distinct training images of each generated one, in the units of the data."""
        return measure_memorization(generated, self._references)

    def points(self, found: Memorization, step: int) -> list[Point]:
        """The shares of copies, and the quantiles of gap ratios and distances."""
        return [
            *self._shares(found, step),
            *quantile_points(step, "gap_ratio", found.gap_ratio),
            *quantile_points(step, "nearest_distance", found.distances[:, 0]),
        ]

    def share(self, found: Memorization, step: int, suffix: str = "") -> Point:
        """f_mem alone, under a name with a suffix."""
        return measured_point(step, f"f_mem{suffix}", (found.f_mem, *found.interval()), found.count)

    def baselines(self, step: int) -> list[Point]:
        """What real held-out images score."""
        return [point.model_copy(update={"metric": control_of(point.metric)}) for point in self._shares(self._control, step)]

    def diverged(self, step: int, count: int, suffix: str = "") -> list[Point]:
        """The points of samples that are not images."""
        names = self._criteria if not suffix else ("f_mem",)
        return [diverged_point(step, f"{name}{suffix}", count) for name in names]

    def _shares(self, found: Memorization, step: int) -> list[Point]:
        shares = found.shares()
        return [_share_point(step, name, shares[name], found.count) for name in self._criteria]

    @cached_property
    def _control(self) -> Memorization:
        return self.found(self.images.held_out)

    @cached_property
    def _references(self) -> References:
        return References(self.images.train.flatten(1))


def _share_point(step: int, name: str, share: tuple[float, float, float] | None, count: int) -> Point:
    if share is None:
        reason = f"fewer than {ADAPTIVE_NEIGHBOURS} training images differ"
        return Point(step=step, metric=name, value=None, count=count, reason=reason)
    return measured_point(step, name, share, count)
