"""What is measured of a run on a mixture at a checkpoint, and the baselines that stand beside it."""

from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from tauscope.contracts.points import Point
from tauscope.experiments.image_copying import ImageCopying
from tauscope.experiments.image_files import write_npz
from tauscope.experiments.losses import DenoiserLosses
from tauscope.experiments.mixture_closeness import MixtureCloseness
from tauscope.experiments.mixture_quality import MixtureQuality
from tauscope.experiments.mixture_scores import MixtureScores
from tauscope.experiments.mixture_set import MixtureSet
from tauscope.experiments.sampled import SampledMeasurement
from tauscope.experiments.sampling import Sampling
from tauscope.experiments.theory import DenoiserTheory
from tauscope.process import Diffusion
from tauscope.specs.gmm import GmmSpec
from tauscope.theory.exact import population_eps


class MixtureMeasurement(SampledMeasurement):
    """Measures one run; all that does not change along training is prepared once.

    Args:
        spec: the run.
        points: its points, on the device.
        diffusion: the forward process, on the device.
    """

    copying: ImageCopying

    def __init__(self, spec: GmmSpec, points: MixtureSet, diffusion: Diffusion) -> None:
        self.losses = DenoiserLosses(spec, points, diffusion)
        self.scores = MixtureScores(spec, points, diffusion)
        known = population_eps(points.population)
        self.theory = DenoiserTheory(spec, points, diffusion, known)
        self.sampling = Sampling(spec, points, diffusion, known)
        self.copying = ImageCopying(points)
        self.closeness = MixtureCloseness(points)
        self.quality = MixtureQuality(spec.seed, points)

    def without_samples(self, network: nn.Module, step: int, further: Mapping[str, nn.Module]) -> list[Point]:
        """Losses and scores, once what theory says of the losses, and the held-out losses of further averages by name."""
        found = self.losses.measured(network, step) + self.scores.measured(network, step) + self.theory.measured(step)
        return found + [point for name, average in further.items() for point in self.losses.held_out_points(average, step, name)]

    def of_drawn(self, drawn: Tensor, step: int, path: Path, go_on: Callable[[float], bool]) -> list[Point]:
        baselines = [point for part in (self.copying, self.closeness, self.quality) for point in part.baselines(step)]
        if not bool(torch.isfinite(drawn).all()):
            return [point for part in (self.copying, self.closeness, self.quality) for point in part.diverged(step, len(drawn))] + baselines
        found = self.copying.found(drawn)
        labels = {} if self.sampling.labels is None else {"labels": self.sampling.labels}
        files = {"samples": drawn, "neighbours": found.neighbours, "distances": found.distances, **labels}
        write_npz(path, **{name: part.cpu().numpy() for name, part in files.items()})
        return [*self.copying.points(found, step), *self.closeness.measured(drawn, step), *self.quality.measured(drawn, step), *baselines]
