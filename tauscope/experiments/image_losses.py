"""Train and held-out loss of an image run, on noise that never changes along training."""

from functools import cached_property

import numpy as np
from torch import nn

from tauscope.contracts.points import Point
from tauscope.experiments.image_set import ImageSet
from tauscope.experiments.measured import diverged_point, measured_point
from tauscope.metrics.intervals import mean_interval
from tauscope.metrics.losses import NoiseBank, loss_gap
from tauscope.process import Diffusion
from tauscope.specs import ImageDdpmSpec
from tauscope.training.seeding import stream


class ImageLosses:
    """Measures the losses at every chosen diffusion index.

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
                labels=labels,
            )
            for index in self.spec.measurement.loss_indices
            for name, part, labels in (
                ("train", self.images.train, self.images.train_labels),
                ("held_out", self.images.held_out, self.images.held_out_labels),
            )
        }

    def held_out_points(self, network: nn.Module, step: int, suffix: str) -> list[Point]:
        """The held-out losses alone, under names with a suffix."""
        points = []
        for index in self.spec.measurement.loss_indices:
            name, losses = f"loss_held_out@{index}{suffix}", self._banks["held_out", index].losses(network)
            finite = bool(np.isfinite(losses).all())
            count = len(losses)
            points.append(measured_point(step, name, mean_interval(losses), count) if finite else diverged_point(step, name, count))
        return points

    def points(self, network: nn.Module, step: int) -> list[Point]:
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
