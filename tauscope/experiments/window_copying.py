"""How far generated windows copy the training windows, beside what real held-out windows score."""

from functools import cached_property

import torch
from torch import Tensor

from tauscope.contracts.points import Point
from tauscope.experiments.measured import diverged_point, measured_point, quantile_points
from tauscope.experiments.window_set import WindowSet
from tauscope.metrics.memorization import Memorization
from tauscope.metrics.window_memorization import TrainingWindows
from tauscope.specs.copying import GAP_THRESHOLDS, control_of
from tauscope.specs.timeseries import TimeseriesSpec

WARPED = "f_mem_dtw"
SAME_PHASE = "f_mem_control_phase"


class WindowCopying:
    """Measures f_mem by several criteria; references and controls are computed once.

    Args:
        spec: the run.
        windows: its windows, on the device.
    """

    def __init__(self, spec: TimeseriesSpec, windows: WindowSet) -> None:
        self.spec = spec
        self.windows = windows
        self._table = TrainingWindows(windows.train, windows.train_starts)

    def found(self, windows: Tensor) -> Memorization:
        """The two nearest training windows of each that share no step, Euclidean."""
        return self._table.euclidean(windows)

    def share(self, found: Memorization, step: int, suffix: str = "") -> Point:
        """f_mem alone, under a name with a suffix."""
        return measured_point(step, f"f_mem{suffix}", (found.f_mem, *found.interval()), found.count)

    def points(self, generated: Tensor, found: Memorization, step: int) -> list[Point]:
        """The shares of copies, and the quantiles of gap ratios and distances."""
        warped = self._warped(generated)
        return [
            *_shares(found, step),
            *([] if warped is None else [measured_point(step, WARPED, (warped.f_mem, *warped.interval()), warped.count)]),
            *quantile_points(step, "gap_ratio", found.gap_ratio),
            *quantile_points(step, "nearest_distance", found.distances[:, 0]),
        ]

    def baselines(self, step: int) -> list[Point]:
        """What real held-out windows score: all of them, and those at the phases of the period that training windows have."""
        control, warped = self._control
        points = [point.model_copy(update={"metric": control_of(point.metric)}) for point in _shares(control, step)]
        if warped is not None:
            points.append(measured_point(step, control_of(WARPED), (warped.f_mem, *warped.interval()), warped.count))
        return points + self._same_phase(control, step)

    def diverged(self, step: int, count: int, suffix: str = "") -> list[Point]:
        """The points of samples that are no windows."""
        names = ("f_mem",) if suffix else (*GAP_THRESHOLDS, *([WARPED] if self.spec.measurement.dtw_radius else []))
        return [diverged_point(step, f"{name}{suffix}", count) for name in names]

    def _same_phase(self, control: Memorization, step: int) -> list[Point]:
        period = self.spec.dataset.period
        if period is None:
            return []
        at = torch.isin(self.windows.held_out_starts % period, self.windows.train_starts % period)
        if not bool(at.any()):
            reason = "no held-out window begins at the phase of a training window"
            return [Point(step=step, metric=SAME_PHASE, value=None, count=0, reason=reason)]
        matched = Memorization(control.gap_ratio[at], control.neighbours[at], control.distances[at], control.threshold)
        return [measured_point(step, SAME_PHASE, (matched.f_mem, *matched.interval()), matched.count)]

    def _warped(self, windows: Tensor) -> Memorization | None:
        radius = self.spec.measurement.dtw_radius
        return None if radius is None else self._table.warped(windows, radius=radius)[0]

    @cached_property
    def _control(self) -> tuple[Memorization, Memorization | None]:
        return self.found(self.windows.held_out), self._warped(self.windows.held_out)


def _shares(found: Memorization, step: int) -> list[Point]:
    shares = found.shares()
    return [measured_point(step, name, share, found.count) for name in GAP_THRESHOLDS if (share := shares[name]) is not None]
