"""What is measured of an image run at a checkpoint, and the baselines that stand beside it."""

from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from tauscope.contracts.points import Point
from tauscope.experiments.image_copying import ImageCopying
from tauscope.experiments.image_files import write_npz
from tauscope.experiments.image_losses import ImageLosses
from tauscope.experiments.image_probes import ImageProbes
from tauscope.experiments.image_quality import ImageQuality
from tauscope.experiments.image_set import ImageSet
from tauscope.experiments.image_spectrum import ImageSpectrum
from tauscope.experiments.image_theory import ImageTheory
from tauscope.process import Diffusion
from tauscope.samplers import EpsModel, draw_samples, guided, intervened
from tauscope.samplers.projection import DirectionAt, from_held_out
from tauscope.specs import ImageDdpmSpec
from tauscope.training.seeding import stream

SAMPLING_BATCH = 512


class SamplingBrokenOffError(Exception):
    """Whoever records the run asked for the end before all samples were drawn."""


class _Watched:
    """A network that asks before each evaluation whether to go on."""

    def __init__(self, network: Callable[..., Tensor], evaluations: int, go_on: Callable[[float], bool]) -> None:
        self._network, self._evaluations, self._go_on = network, evaluations, go_on
        self._done = 0

    def __call__(self, *asked: Tensor) -> Tensor:
        if not self._go_on(self._done / self._evaluations):
            raise SamplingBrokenOffError
        self._done += 1
        return self._network(*asked)


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
        self.theory = ImageTheory(spec, images, diffusion)
        self.copying = ImageCopying(images)
        self._sampled = frozenset(spec.measurement.schedule.steps(spec.steps))
        self.quality = ImageQuality(spec, images)

    def without_samples(self, network: nn.Module, step: int, further: Mapping[str, nn.Module]) -> list[Point]:
        """What is measured wherever the losses are: losses, probes and spectrum, and the held-out losses of further averages by name;

        where samples are drawn, the losses at all noise levels; and once what theory says of both.
        """
        found = self.losses.points(network, step) + self.probes.points(network, step) + self.spectrum.points(network, step)
        found += [point for name, average in further.items() for point in self.losses.held_out_points(average, step, name)]
        return found + (self.losses.grid(network, step) if step in self._sampled else []) + self.theory.points(step)

    @torch.no_grad()
    def samples(
        self, network: nn.Module, step: int, path: Path, further: Mapping[str, nn.Module], *, go_on: Callable[[float], bool]
    ) -> list[Point]:
        """Draw samples from the same seeds as at every other step, write them with their neighbours, and measure them.

        As many are drawn with every further average, for its f_mem alone. ``go_on`` is told the share that is drawn, between any
        two evaluations of a network; and 1 between any two of a feature network.

        Raises:
            SamplingBrokenOffError: when ``go_on`` says no.
        """
        sets = 1 + len(further)
        points = self._measured(network, step, path, lambda share: go_on(share / sets))
        for place, (name, average) in enumerate(further.items(), start=1):
            images = self.generate(average, lambda share, place=place: go_on((place + share) / sets))  # type: ignore[misc]
            finite = bool(torch.isfinite(images).all())
            points += (
                [self.copying.share(self.copying.found(images), step, name)] if finite else self.copying.diverged(step, len(images), name)
            )
        return points

    def _measured(self, network: nn.Module, step: int, path: Path, go_on: Callable[[float], bool]) -> list[Point]:
        images, between = self.generate(network, go_on), _still_wanted(go_on)
        if not bool(torch.isfinite(images).all()):
            return [*self.copying.diverged(step, len(images)), *self.quality.diverged(step, len(images)), *self._baselines(step, between)]
        found = self.copying.found(images)
        told = {} if self.sample_labels is None else {"labels": self.sample_labels.cpu().numpy()}
        files = {"samples": images, "neighbours": found.neighbours, "distances": found.distances}
        write_npz(path, **{name: part.cpu().numpy() for name, part in files.items()}, **told)
        quality = self.quality.points(images, step, between=between)
        return [*self.copying.points(found, step), *quality, *self._baselines(step, between)]

    def _baselines(self, step: int, between: Callable[[], None]) -> list[Point]:
        return [*self.copying.baselines(step), *self.quality.baselines(step, between=between)]

    @torch.no_grad()
    def generate(
        self, network: nn.Module, go_on: Callable[[float], bool] = lambda share: True
    ) -> Float[Tensor, "image channel height width"]:
        """The samples of the spec's seed, in [0, 1]; see ``samples`` for ``go_on``."""
        measurement, device = self.spec.measurement, self.images.train.device
        shape = (measurement.n_generated, *self.images.train.shape[1:])
        x_T = torch.randn(shape, generator=stream(self.spec.seed, "samples"))  # On the CPU: the same on every device.
        noise = stream(self.spec.seed, "sampler_noise", device=device)
        blocks = x_T.split(SAMPLING_BATCH)
        watched = _Watched(network, len(blocks) * self._evaluations_per_block, go_on)
        labels = self.sample_labels.split(SAMPLING_BATCH) if self.sample_labels is not None else [None] * len(blocks)
        batches = [
            draw_samples(self._predictor(watched, told), self.diffusion, block.to(device), measurement.sampler, generator=noise)
            for block, told in zip(blocks, labels, strict=True)
        ]
        return self.images.to_pixels(torch.cat(batches))

    def _predictor(self, network: Callable[..., Tensor], labels: Tensor | None) -> EpsModel:
        sampler = self.spec.measurement.sampler
        told = network if labels is None else guided(network, labels, sampler.guidance)
        return intervened(told, self.diffusion, sampler, self._direction)

    @cached_property
    def _direction(self) -> DirectionAt | None:
        if self.spec.measurement.sampler.projection is None:
            return None
        train, held_out = (self.images.to_model(part) for part in (self.images.train, self.images.held_out))
        return from_held_out(train, held_out[: len(train)])

    @cached_property
    def sample_labels(self) -> Int[Tensor, " image"] | None:
        """The label of every sample, those of training images drawn with replacement: once a seed, in the proportions of the set."""
        known = self.images.train_labels
        if known is None:
            return None
        drawn = torch.randint(len(known), (self.spec.measurement.n_generated,), generator=stream(self.spec.seed, "sample_labels"))
        return known[drawn.to(known.device)]

    @property
    def _evaluations_per_block(self) -> int:
        return self.spec.measurement.sampler.evaluations(self.diffusion.steps - self.diffusion.first_trained_index)


def _still_wanted(go_on: Callable[[float], bool]) -> Callable[[], None]:
    """What ends a measurement of samples that are all drawn, where nobody waits for it any more."""

    def between() -> None:
        if not go_on(1.0):
            raise SamplingBrokenOffError

    return between
