"""What is measured of an image run at a checkpoint, and the baselines that stand beside it."""

from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn

from tauscope.contracts.points import Point
from tauscope.experiments.image_copying import ImageCopying
from tauscope.experiments.image_files import write_npz
from tauscope.experiments.image_probes import ImageProbes
from tauscope.experiments.image_quality import ImageQuality
from tauscope.experiments.image_set import ImageSet, OfImages
from tauscope.experiments.image_spectrum import ImageSpectrum
from tauscope.experiments.image_theory import ImageTheory
from tauscope.experiments.losses import DenoiserLosses
from tauscope.experiments.sampled import SampledMeasurement
from tauscope.experiments.sampling import Sampling, SamplingBrokenOffError
from tauscope.process import Diffusion
from tauscope.specs import ImageDdpmSpec


class ImageMeasurement(OfImages, SampledMeasurement):
    """Measures one run; all that does not change along training is prepared once."""

    copying: ImageCopying

    def __init__(self, spec: ImageDdpmSpec, images: ImageSet, diffusion: Diffusion) -> None:
        super().__init__(spec, images, diffusion)
        self.sampling = Sampling(spec, images, diffusion)
        self.losses = DenoiserLosses(spec, images, diffusion)
        self.probes = ImageProbes(spec, images, diffusion)
        self.spectrum = ImageSpectrum(spec, images, diffusion)
        self.theory = ImageTheory(spec, images, diffusion)
        self.copying = ImageCopying(images)
        self._sampled = frozenset(spec.measurement.schedule.saved(spec.steps))
        self.quality = ImageQuality(spec, images)

    def without_samples(self, network: nn.Module, step: int, further: Mapping[str, nn.Module]) -> list[Point]:
        """What is measured wherever the losses are: losses, probes and spectrum, and the held-out losses of further averages by name;

        where samples are or may be drawn, the losses at all noise levels; and once what theory says of both.
        """
        found = self.losses.measured(network, step) + self.probes.points(network, step) + self.spectrum.points(network, step)
        found += [point for name, average in further.items() for point in self.losses.held_out_points(average, step, name)]
        return found + (self._grid(network, step) if step in self._sampled else []) + self.theory.measured(step)

    def _grid(self, network: nn.Module, step: int) -> list[Point]:
        asked = self.spec.measurement.loss_grid
        return [] if asked is None else self.losses.over(network, step, asked.indices(self.spec.process), asked.pairs)

    def of_drawn(self, images: Tensor, step: int, path: Path, go_on: Callable[[float], bool]) -> list[Point]:
        between = _still_wanted(go_on)
        if not bool(torch.isfinite(images).all()):
            return [*self.copying.diverged(step, len(images)), *self.quality.diverged(step, len(images)), *self._baselines(step, between)]
        found = self.copying.found(images)
        told = {} if self.sampling.labels is None else {"labels": self.sampling.labels.cpu().numpy()}
        files = {"samples": images, "neighbours": found.neighbours, "distances": found.distances}
        write_npz(path, **{name: part.cpu().numpy() for name, part in files.items()}, **told)
        quality = self.quality.points(images, step, between=between)
        return [*self.copying.points(found, step), *quality, *self._baselines(step, between)]

    def _baselines(self, step: int, between: Callable[[], None]) -> list[Point]:
        return [*self.copying.baselines(step), *self.quality.baselines(step, between=between)]

    def generate(
        self, network: Callable[..., Tensor], go_on: Callable[[float], bool] = lambda share: True
    ) -> Float[Tensor, "image channel height width"]:
        """The samples of the spec's seed, in [0, 1]; see ``samples`` for ``go_on``."""
        return self.images.to_pixels(self.sampling.draw(network, go_on))


def _still_wanted(go_on: Callable[[float], bool]) -> Callable[[], None]:
    """What ends a measurement of samples that are all drawn, where nobody waits for it any more."""

    def between() -> None:
        if not go_on(1.0):
            raise SamplingBrokenOffError

    return between
