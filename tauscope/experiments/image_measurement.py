"""What is measured of an image run at a checkpoint, and the baselines that stand beside it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from tauscope.contracts.points import Point
from tauscope.experiments.image_files import write_npz
from tauscope.metrics.frechet import FrechetReference, PrincipalComponents
from tauscope.metrics.losses import NoiseBank, loss_gap
from tauscope.metrics.memorization import Memorization, measure_memorization
from tauscope.process import Diffusion
from tauscope.samplers import draw_samples
from tauscope.specs import ImageDdpmSpec
from tauscope.specs.image_ddpm import DdimSpec
from tauscope.training.seeding import stream

QUANTILES = (0.1, 0.5, 0.9)
SAMPLING_BATCH = 512


@dataclass(frozen=True)
class ImageSet:
    """Training and held-out images in [0, 1] and the scale that turns them into model units.

    x = 2 pixel - 1 - mean, with one scalar mean, that of the training images.
    """

    train: Float[Tensor, "n_train channel height width"]
    held_out: Float[Tensor, "n_held_out channel height width"]

    @property
    def mean(self) -> float:
        return float((2 * self.train - 1).double().mean())

    def to_model(self, pixels: Tensor) -> Tensor:
        return 2 * pixels - 1 - self.mean

    def to_pixels(self, x: Tensor) -> Tensor:
        """Back to [0, 1], clipped; what leaves the model's range was never an image."""
        return ((x + self.mean + 1) / 2).clamp(0, 1)


@dataclass(frozen=True)
class HeldOutFrechet:
    """Components and reference fitted on one part of the held-out images; the other part gives the real-against-real floor."""

    components: PrincipalComponents
    reference: FrechetReference
    floor: np.ndarray

    @classmethod
    def of(cls, held_out: np.ndarray, *, n_floor: int, components: int) -> "HeldOutFrechet":
        n_floor = min(n_floor, len(held_out) // 2)
        fitted = PrincipalComponents.of(held_out[n_floor:], components)
        return cls(fitted, FrechetReference.of(fitted.features(held_out[n_floor:])), held_out[:n_floor])

    def distance(self, images: np.ndarray) -> tuple[float, float, float]:
        return self.reference.distance_interval(self.components.features(images))


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

    @cached_property
    def _banks(self) -> dict[tuple[str, int], NoiseBank]:
        return {
            (name, index): NoiseBank.draw(
                self.images.to_model(part),
                self.diffusion,
                index=index,
                pairs=self.spec.measurement.loss_pairs,
                generator=stream(self.spec.seed, "noise_bank", name, index, device=part.device),
            )
            for index in self.spec.measurement.loss_indices
            for name, part in (("train", self.images.train), ("held_out", self.images.held_out))
        }

    @cached_property
    def control(self) -> Memorization:
        """The same statistic on real held-out images."""
        return measure_memorization(self.images.held_out, self.images.train)

    @cached_property
    def _frechet(self) -> "HeldOutFrechet":
        return HeldOutFrechet.of(
            self.images.held_out.cpu().numpy(),
            n_floor=self.spec.measurement.n_generated,
            components=self.spec.measurement.frechet_components,
        )

    def losses(self, network: nn.Module, step: int) -> list[Point]:
        """Train and held-out loss and their relative gap at every chosen diffusion index."""
        points = []
        for index in self.spec.measurement.loss_indices:
            train = self._banks["train", index].losses(network)
            held_out = self._banks["held_out", index].losses(network)
            if not (np.isfinite(train).all() and np.isfinite(held_out).all()):
                points += [diverged_point(step, f"{name}@{index}", len(train)) for name in ("loss_train", "loss_held_out", "loss_gap")]
                continue
            gap = loss_gap(train, held_out)
            points += [
                measured_point(step, f"loss_train@{index}", gap.train, len(train)),
                measured_point(step, f"loss_held_out@{index}", gap.held_out, len(held_out)),
                measured_point(step, f"loss_gap@{index}", gap.gap, len(held_out)),
            ]
        return points

    @torch.no_grad()
    def samples(self, network: nn.Module, step: int, path: Path, *, go_on: Callable[[float], bool]) -> list[Point]:
        """Draw samples from the same seeds as at every other step, write them with their neighbours, and measure them.

        ``go_on`` is told the share that is drawn, between any two evaluations of the network.

        Raises:
            SamplingBrokenOffError: when ``go_on`` says no.
        """
        images = self.generate(network, go_on)
        if not bool(torch.isfinite(images).all()):
            return [*_baseline_points(self, step), *(diverged_point(step, name, len(images)) for name in ("f_mem", "frechet_pca"))]
        found = measure_memorization(images, self.images.train)
        _write_samples(path, images, found)
        return [
            measured_point(step, "f_mem", (found.f_mem, *found.interval()), found.count),
            *_quantile_points(step, "gap_ratio", found.gap_ratio),
            *_quantile_points(step, "nearest_distance", found.distances[:, 0]),
            measured_point(step, "frechet_pca", self._frechet.distance(images.cpu().numpy()), len(images)),
            *_baseline_points(self, step),
        ]

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
        batches = [draw_samples(watched, self.diffusion, block.to(device), measurement.sampler, generator=noise) for block in blocks]
        return self.images.to_pixels(torch.cat(batches))

    @property
    def _evaluations_per_block(self) -> int:
        sampler = self.spec.measurement.sampler
        return sampler.steps if isinstance(sampler, DdimSpec) else self.diffusion.steps - self.diffusion.first_trained_index

    @cached_property
    def baselines(self) -> dict[str, tuple[float, float, float, int]]:
        """Metric name to (value, low, high, count) of what does not change along training."""
        return {
            "f_mem_control": (self.control.f_mem, *self.control.interval(), self.control.count),
            "frechet_pca_floor": (*self._frechet.distance(self._frechet.floor), len(self._frechet.floor)),
            "frechet_pca_train": (*self._frechet.distance(self.images.train.cpu().numpy()), len(self.images.train)),
        }


def _baseline_points(measurement: ImageMeasurement, step: int) -> list[Point]:
    return [measured_point(step, name, (value, low, high), count) for name, (value, low, high, count) in measurement.baselines.items()]


def _quantile_points(step: int, name: str, values: Tensor) -> list[Point]:
    quantiles = np.quantile(values.cpu().numpy(), QUANTILES)
    return [
        Point(step=step, metric=f"{name}_q{round(100 * q)}", value=float(value), count=len(values))
        for q, value in zip(QUANTILES, quantiles, strict=True)
    ]


def measured_point(step: int, metric: str, estimate: tuple[float, float, float], count: int) -> Point:
    """An estimate (value, low, high) at a step."""
    value, low, high = estimate
    return Point(step=step, metric=metric, value=value, low=low, high=high, count=count)


def diverged_point(step: int, metric: str, count: int) -> Point:
    """A point that could not be measured because the network is no longer finite."""
    return Point(step=step, metric=metric, value=None, count=count, reason="diverged")


def _write_samples(path: Path, images: Tensor, found: Memorization) -> None:
    write_npz(path, samples=images.cpu().numpy(), neighbours=found.neighbours.cpu().numpy(), distances=found.distances.cpu().numpy())
