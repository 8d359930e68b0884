"""Samples of a denoiser, drawn from the same seeds at every checkpoint."""

from collections.abc import Callable
from functools import cached_property

import torch
from jaxtyping import Float, Int
from torch import Tensor

from tauscope.experiments.training_set import OfPoints, TrainingSet
from tauscope.process import Diffusion
from tauscope.samplers import EpsModel, draw_samples, guided, intervened
from tauscope.samplers.projection import DirectionAt, from_held_out, from_network, from_population
from tauscope.specs import DenoiserSpec
from tauscope.theory.exact import ExactEps
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


class Sampling(OfPoints):
    """Draws the samples of a run.

    Args:
        spec: the run.
        points: those that it learns, on the device.
        diffusion: the forward process, on the device.
        population: the exact prediction of eps in model units, where the law of the data is known.

    Attributes:
        earlier: the run's network at the step that a projection refers to; ``None`` where that is yet to come, and nothing is taken out.
    """

    earlier: Callable[..., Tensor] | None = None

    def __init__(self, spec: DenoiserSpec, points: TrainingSet, diffusion: Diffusion, population: ExactEps | None = None) -> None:
        super().__init__(spec, points, diffusion)
        self.population = population

    @torch.no_grad()
    def draw(self, network: Callable[..., Tensor], go_on: Callable[[float], bool] = lambda share: True) -> Float[Tensor, "sample ..."]:
        """The samples of the spec's seed, in model units.

        Args:
            network: predicts eps from (x_t, t) and, where it is told them, labels.
            go_on: told the share that is drawn, between any two evaluations of the network.

        Raises:
            SamplingBrokenOffError: when ``go_on`` says no.
        """
        measurement, device = self.spec.measurement, self.points.train.device
        shape = (measurement.n_generated, *self.points.train.shape[1:])
        x_T = torch.randn(shape, generator=stream(self.spec.seed, "samples"))  # On the CPU: the same on every device.
        noise = stream(self.spec.seed, "sampler_noise", device=device)
        blocks = x_T.split(SAMPLING_BATCH)
        watched = _Watched(network, len(blocks) * self._evaluations_per_block, go_on)
        labels = self.labels.split(SAMPLING_BATCH) if self.labels is not None else [None] * len(blocks)
        batches = [
            draw_samples(self._predictor(watched, told), self.diffusion, block.to(device), measurement.sampler, generator=noise)
            for block, told in zip(blocks, labels, strict=True)
        ]
        return torch.cat(batches)

    @cached_property
    def labels(self) -> Int[Tensor, " sample"] | None:
        """The label of every sample, those of training points drawn with replacement: once a seed, in the proportions of the set."""
        known = self.points.train_labels
        if known is None:
            return None
        drawn = torch.randint(len(known), (self.spec.measurement.n_generated,), generator=stream(self.spec.seed, "sample_labels"))
        return known[drawn.to(known.device)]

    def _predictor(self, network: Callable[..., Tensor], labels: Tensor | None) -> EpsModel:
        sampler = self.spec.measurement.sampler
        told = network if labels is None else guided(network, labels, sampler.guidance)
        return intervened(told, self.diffusion, sampler, self._direction)

    @cached_property
    def _direction(self) -> DirectionAt | None:
        """What a projection takes out, in model units."""
        projection = self.spec.measurement.sampler.projection
        if projection is None:
            return None
        train = self.points.to_model(self.points.train)
        if projection.reference == "held_out":
            return from_held_out(train, self.points.to_model(self.points.held_out)[: len(train)])
        if projection.step is not None:
            return None if self.earlier is None else from_network(train, self.earlier)
        assert self.population is not None, "the spec refuses a population that is not known"
        return from_population(train, self.population)

    @property
    def _evaluations_per_block(self) -> int:
        return self.spec.measurement.sampler.evaluations(self.diffusion.steps - self.diffusion.first_trained_index)
