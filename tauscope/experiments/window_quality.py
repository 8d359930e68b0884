"""How close generated windows come to real held-out ones, beside what real windows and the training windows themselves score."""

from functools import cached_property

import numpy as np
from torch import Tensor

from tauscope.contracts.points import Point
from tauscope.experiments.measured import diverged_point, measured_point
from tauscope.experiments.window_set import WindowSet
from tauscope.metrics.window_quality import distance_interval
from tauscope.specs.timeseries import DISTANCES


class WindowQuality:
    """Measures three distances to held-out windows; floor and training line are computed once.

    Args:
        windows: the run's windows, on the device.
    """

    def __init__(self, windows: WindowSet) -> None:
        held_out = windows.held_out.double().cpu().numpy()
        # Alternate windows in the order of time: both see the whole held-out part.
        self._floor, self._reference = held_out[::2], held_out[1::2]
        self._train = windows.train[windows.train_starts.argsort()].double().cpu().numpy()

    def points(self, generated: Tensor, step: int) -> list[Point]:
        """The distances of generated windows, in standard units."""
        windows = generated.double().cpu().numpy()
        return [
            measured_point(step, f"{name}_distance", distance_interval(name, windows, self._reference), len(windows)) for name in DISTANCES
        ]

    def baselines(self, step: int) -> list[Point]:
        """What the other half of the held-out windows scores, and what the training windows do."""
        return [measured_point(step, name, estimate, count) for name, (estimate, count) in self._scores.items()]

    def diverged(self, step: int, count: int) -> list[Point]:
        """The points of samples that are no windows."""
        return [diverged_point(step, f"{name}_distance", count) for name in DISTANCES]

    @cached_property
    def _scores(self) -> dict[str, tuple[tuple[float, float, float], int]]:
        return {f"{name}_distance_{what}": self._score(name, part) for name in DISTANCES for what, part in self._real.items()}

    @property
    def _real(self) -> dict[str, np.ndarray]:
        return {"floor": self._floor, "train": self._train}

    def _score(self, name: str, part: np.ndarray) -> tuple[tuple[float, float, float], int]:
        return distance_interval(name, part, self._reference, in_time=True), len(part)
