"""How far generated images copy the training images of a run, beside what real held-out images score."""

from functools import cached_property

from torch import Tensor

from tauscope.contracts.points import Point
from tauscope.experiments.image_set import ImageSet
from tauscope.experiments.measured import diverged_point, measured_point, quantile_points
from tauscope.metrics.memorization import Memorization, measure_memorization


class ImageCopying:
    """Measures f_mem and the distances behind it; the control is computed once.

    Args:
        images: the run's images, on the device.
    """

    def __init__(self, images: ImageSet) -> None:
        self.images = images

    def found(self, generated: Tensor) -> Memorization:
        """The two nearest distinct training images of each generated one, shape (N, C, H, W), pixels in [0, 1]."""
        return measure_memorization(generated, self.images.train)

    def points(self, found: Memorization, step: int) -> list[Point]:
        """f_mem and the quantiles of gap ratios and distances."""
        return [
            self.share(found, step),
            *quantile_points(step, "gap_ratio", found.gap_ratio),
            *quantile_points(step, "nearest_distance", found.distances[:, 0]),
        ]

    def share(self, found: Memorization, step: int, suffix: str = "") -> Point:
        """f_mem alone, under a name with a suffix."""
        return measured_point(step, f"f_mem{suffix}", (found.f_mem, *found.interval()), found.count)

    def baselines(self, step: int) -> list[Point]:
        """What real held-out images score."""
        return [measured_point(step, "f_mem_control", (self._control.f_mem, *self._control.interval()), self._control.count)]

    def diverged(self, step: int, count: int, suffix: str = "") -> list[Point]:
        """The points of samples that are not images."""
        return [diverged_point(step, f"f_mem{suffix}", count)]

    @cached_property
    def _control(self) -> Memorization:
        return self.found(self.images.held_out)
