"""What is measured of a run on windows at a checkpoint, and the baselines that stand beside it."""

from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from tauscope.contracts.points import Point
from tauscope.experiments.image_files import write_npz
from tauscope.experiments.losses import DenoiserLosses
from tauscope.experiments.sampled import SampledMeasurement
from tauscope.experiments.sampling import Sampling
from tauscope.experiments.theory import DenoiserTheory
from tauscope.experiments.window_copying import WindowCopying
from tauscope.experiments.window_quality import WindowQuality
from tauscope.experiments.window_set import WindowSet
from tauscope.process import Diffusion
from tauscope.specs.timeseries import TimeseriesSpec


class WindowMeasurement(SampledMeasurement):
    """Measures one run; all that does not change along training is prepared once.

    Args:
        spec: the run.
        windows: its windows, on the device.
        diffusion: the forward process, on the device.
    """

    copying: WindowCopying

    def __init__(self, spec: TimeseriesSpec, windows: WindowSet, diffusion: Diffusion) -> None:
        self.losses = DenoiserLosses(spec, windows, diffusion)
        self.theory = DenoiserTheory(spec, windows, diffusion)
        self.sampling = Sampling(spec, windows, diffusion)
        self.copying = WindowCopying(spec, windows)
        self.quality = WindowQuality(windows)

    def without_samples(self, network: nn.Module, step: int, further: Mapping[str, nn.Module]) -> list[Point]:
        """The losses, once what theory says of them, and the held-out losses of further averages by name."""
        found = self.losses.measured(network, step) + self.theory.measured(step)
        return found + [point for name, average in further.items() for point in self.losses.held_out_points(average, step, name)]

    def of_drawn(self, windows: Tensor, step: int, path: Path, go_on: Callable[[float], bool]) -> list[Point]:
        baselines = [*self.copying.baselines(step), *self.quality.baselines(step)]
        if not bool(torch.isfinite(windows).all()):
            return [*self.copying.diverged(step, len(windows)), *self.quality.diverged(step, len(windows)), *baselines]
        found = self.copying.found(windows)
        files = {"samples": windows, "neighbours": found.neighbours, "distances": found.distances}
        write_npz(path, **{name: part.cpu().numpy() for name, part in files.items()})
        return [*self.copying.points(windows, found, step), *self.quality.points(windows, step), *baselines]
