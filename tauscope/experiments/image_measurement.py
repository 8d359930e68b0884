"""What is measured of an image run at a checkpoint, and the baselines that stand beside it."""

from collections.abc import Callable
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn

from tauscope.contracts.points import Point
from tauscope.experiments.image_copying import ImageCopying
from tauscope.experiments.image_files import write_npz
from tauscope.experiments.image_losses import ImageLosses
from tauscope.experiments.image_probes import ImageProbes
from tauscope.experiments.image_quality import ImageQuality
from tauscope.experiments.image_set import ImageSet
from tauscope.experiments.image_spectrum import ImageSpectrum
from tauscope.process import Diffusion
from tauscope.samplers import draw_samples
from tauscope.specs import ImageDdpmSpec
from tauscope.specs.sampler import DdimSpec
from tauscope.training.seeding import stream

SAMPLING_BATCH = 512


class SamplingBrokenOffError(Exception):
    """Whoever records the run asked for the end before all samples were drawn."""


class _Watched:
    """A network that asks before each evaluation whether to go on."""

    def __init__(self, network: nn.Module, evaluations: int, go_on: Callable[[float], bool]) -> None:
        self._network, self._evaluations, self._go_on = network, evaluations, go_on
        self._done = 0

    def __call__(self, x_t: Tensor, t: Tensor) -> Tensor:
        if not self._go_on(self._done / self._evaluations):
            raise SamplingBrokenOffError
        self._done += 1
        eps: Tensor = self._network(x_t, t)
        return eps


class ImageMeasurement:
    """Measures one run; all that does not change along training is prepared once.

    Args:
        spec: the run.
        images: its images, on the device.
        diffusion: the forward process, on the device.
    """

    def __init__(self, spec: ImageDdpmSpec, images: ImageSet, diffusion: Diffusion) -> None:
        self.spec = spec
        self.images = images
        self.diffusion = diffusion
        self.losses = ImageLosses(spec, images, diffusion)
        self.probes = ImageProbes(spec, images, diffusion)
        self.spectrum = ImageSpectrum(spec, images, diffusion)
        self.copying = ImageCopying(images)
        self._sampled = frozenset(spec.measurement.schedule.steps(spec.steps))
        self.quality = ImageQuality(spec, images)

    def without_samples(self, network: nn.Module, step: int) -> list[Point]:
        """What is measured wherever the losses are: losses, probes and spectrum; and, where samples are drawn, all noise levels."""
        found = self.losses.points(network, step) + self.probes.points(network, step) + self.spectrum.points(network, step)
        return found + (self.losses.grid(network, step) if step in self._sampled else [])

    @torch.no_grad()
    def samples(self, network: nn.Module, step: int, path: Path, *, go_on: Callable[[float], bool]) -> list[Point]:
        """Draw samples from the same seeds as at every other step, write them with their neighbours, and measure them.

        ``go_on`` is told the share that is drawn, between any two evaluations of the network.

        Raises:
            SamplingBrokenOffError: when ``go_on`` says no.
        """
        images = self._generate(network, go_on)
        if not bool(torch.isfinite(images).all()):
            return [*self.copying.diverged(step, len(images)), *self.quality.diverged(step, len(images)), *self._baselines(step)]
        found = self.copying.found(images)
        write_npz(path, samples=images.cpu().numpy(), neighbours=found.neighbours.cpu().numpy(), distances=found.distances.cpu().numpy())
        return [*self.copying.points(found, step), *self.quality.points(images, step), *self._baselines(step)]

    def _baselines(self, step: int) -> list[Point]:
        return [*self.copying.baselines(step), *self.quality.baselines(step)]

    def _generate(self, network: nn.Module, go_on: Callable[[float], bool]) -> Float[Tensor, "image channel height width"]:
        measurement, device = self.spec.measurement, self.images.train.device
        shape = (measurement.n_generated, *self.images.train.shape[1:])
        x_T = torch.randn(shape, generator=stream(self.spec.seed, "samples"))  # On the CPU: the same on every device.
        noise = stream(self.spec.seed, "sampler_noise", device=device)
        blocks = x_T.split(SAMPLING_BATCH)
        watched = _Watched(network, len(blocks) * self._evaluations_per_block, go_on)
        batches = [draw_samples(watched, self.diffusion, block.to(device), measurement.sampler, generator=noise) for block in blocks]
        return self.images.to_pixels(torch.cat(batches))

    @property
    def _evaluations_per_block(self) -> int:
        sampler = self.spec.measurement.sampler
        return sampler.steps if isinstance(sampler, DdimSpec) else self.diffusion.steps - self.diffusion.first_trained_index
