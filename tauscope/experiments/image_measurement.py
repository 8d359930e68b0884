"""What is measured of an image run at a checkpoint, and the baselines that stand beside it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from tauscope.contracts.points import Point
from tauscope.metrics.frechet import FrechetReference, PrincipalComponents
from tauscope.metrics.losses import NoiseBank, loss_gap
from tauscope.metrics.memorization import Memorization, measure_memorization
from tauscope.process import Diffusion
from tauscope.samplers import draw_samples
from tauscope.specs import ImageDdpmSpec
from tauscope.training.checkpoints import publish
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
        self._banks = {
            (name, index): NoiseBank.draw(
                images.to_model(part),
                diffusion,
                index=index,
                pairs=spec.measurement.loss_pairs,
                generator=stream(spec.seed, "noise_bank", name, index, device=part.device),
            )
            for index in spec.measurement.loss_indices
            for name, part in (("train", images.train), ("held_out", images.held_out))
        }
        self._control = measure_memorization(images.held_out, images.train)
        self._prepare_frechet()

    def _prepare_frechet(self) -> None:
        """Fit components and reference on one part of the held-out images; the other part gives the real-against-real floor."""
        held_out = self.images.held_out.cpu().numpy()
        n_floor = min(self.spec.measurement.n_generated, len(held_out) // 2)
        reference, floor = held_out[n_floor:], held_out[:n_floor]
        self._components = PrincipalComponents.of(reference, self.spec.measurement.frechet_components)
        self._reference = FrechetReference.of(self._components.features(reference))
        self._floor = (*self._frechet(floor), n_floor)
        train = self.images.train.cpu().numpy()
        self._train_line = (*self._frechet(train), len(train))

    def _frechet(self, images: np.ndarray) -> tuple[float, float, float]:
        return self._reference.distance_interval(self._components.features(images))

    def losses(self, network: nn.Module, step: int) -> list[Point]:
        """Train and held-out loss and their relative gap at every chosen diffusion index."""
        points = []
        for index in self.spec.measurement.loss_indices:
            train = self._banks["train", index].losses(network)
            held_out = self._banks["held_out", index].losses(network)
            if not (np.isfinite(train).all() and np.isfinite(held_out).all()):
                points += [_missing(step, f"{name}@{index}", len(train)) for name in ("loss_train", "loss_held_out", "loss_gap")]
                continue
            gap = loss_gap(train, held_out)
            points += [
                _point(step, f"loss_train@{index}", gap.train, len(train)),
                _point(step, f"loss_held_out@{index}", gap.held_out, len(held_out)),
                _point(step, f"loss_gap@{index}", gap.gap, len(held_out)),
            ]
        return points

    @torch.no_grad()
    def samples(self, network: nn.Module, step: int, path: Path) -> list[Point]:
        """Draw samples from the same seeds as at every other step, write them with their neighbours, and measure them."""
        images = self._generate(network)
        if not bool(torch.isfinite(images).all()):
            return [*_baseline_points(self, step), *(_missing(step, name, len(images)) for name in ("f_mem", "frechet_pca"))]
        found = measure_memorization(images, self.images.train)
        _write_samples(path, images, found)
        return [
            _point(step, "f_mem", (found.f_mem, *found.interval()), found.count),
            *_quantile_points(step, "gap_ratio", found.gap_ratio),
            *_quantile_points(step, "nearest_distance", found.distances[:, 0]),
            _point(step, "frechet_pca", self._frechet(images.cpu().numpy()), len(images)),
            *_baseline_points(self, step),
        ]

    def _generate(self, network: nn.Module) -> Float[Tensor, "image channel height width"]:
        measurement, device = self.spec.measurement, self.images.train.device
        shape = (measurement.n_generated, *self.images.train.shape[1:])
        x_T = torch.randn(shape, generator=stream(self.spec.seed, "samples"))  # On the CPU: the same on every device.
        noise = stream(self.spec.seed, "sampler_noise", device=device)
        batches = [
            draw_samples(network, self.diffusion, block.to(device), measurement.sampler, generator=noise)
            for block in x_T.split(SAMPLING_BATCH)
        ]
        return self.images.to_pixels(torch.cat(batches))

    @property
    def control(self) -> Memorization:
        """The same statistic on real held-out images."""
        return self._control

    @property
    def baselines(self) -> dict[str, tuple[float, float, float, int]]:
        """Metric name to (value, low, high, count) of what does not change along training."""
        return {
            "f_mem_control": (self._control.f_mem, *self._control.interval(), self._control.count),
            "frechet_pca_floor": self._floor,
            "frechet_pca_train": self._train_line,
        }


def _baseline_points(measurement: ImageMeasurement, step: int) -> list[Point]:
    return [_point(step, name, (value, low, high), count) for name, (value, low, high, count) in measurement.baselines.items()]


def _quantile_points(step: int, name: str, values: Tensor) -> list[Point]:
    quantiles = np.quantile(values.cpu().numpy(), QUANTILES)
    return [
        Point(step=step, metric=f"{name}_q{round(100 * q)}", value=float(value), count=len(values))
        for q, value in zip(QUANTILES, quantiles, strict=True)
    ]


def _point(step: int, metric: str, estimate: tuple[float, float, float], count: int) -> Point:
    value, low, high = estimate
    return Point(step=step, metric=metric, value=value, low=low, high=high, count=count)


def _missing(step: int, metric: str, count: int) -> Point:
    return Point(step=step, metric=metric, value=None, count=count, reason="diverged")


def _write_samples(path: Path, images: Tensor, found: Memorization) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".partial")
    with temporary.open("wb") as file:
        np.savez(
            file,
            samples=images.cpu().numpy(),
            neighbours=found.neighbours.cpu().numpy(),
            distances=found.distances.cpu().numpy(),
        )
    publish(temporary, path)
