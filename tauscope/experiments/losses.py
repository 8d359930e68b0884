"""Train and held-out loss of a denoiser, on noise that never changes along training."""

from collections.abc import Iterable
from functools import cached_property

import numpy as np
from torch import nn

from tauscope.contracts.points import Point
from tauscope.experiments.measured import diverged_point, measured_point
from tauscope.experiments.training_set import OfPoints, TrainingSet
from tauscope.metrics.intervals import mean_interval
from tauscope.metrics.losses import NoiseBank, loss_gap
from tauscope.process import Diffusion
from tauscope.specs import DenoiserSpec
from tauscope.training.seeding import stream


class DenoiserLosses(OfPoints):
    """Measures the losses at every chosen diffusion index."""

    @cached_property
    def _banks(self) -> dict[int, tuple[NoiseBank, NoiseBank]]:
        pairs = self.spec.measurement.loss_pairs
        return {index: self._pair_of_banks(index, pairs) for index in self.spec.measurement.loss_indices}

    def held_out_points(self, network: nn.Module, step: int, suffix: str) -> list[Point]:
        """The held-out losses alone, under names with a suffix."""
        points = []
        for index, (_, held_out) in self._banks.items():
            name, losses = f"loss_held_out@{index}{suffix}", held_out.losses(network)
            finite = bool(np.isfinite(losses).all())
            count = len(losses)
            points.append(measured_point(step, name, mean_interval(losses), count) if finite else diverged_point(step, name, count))
        return points

    def measured(self, network: nn.Module, step: int) -> list[Point]:
        """Train and held-out loss and their relative gap at every chosen diffusion index."""
        return [point for index, banks in self._banks.items() for point in _losses(network, banks, step, "loss")]

    def over(self, network: nn.Module, step: int, indices: Iterable[int], pairs: int) -> list[Point]:
        """The same over many noise levels, as ``grid_...``; banks are drawn again to the same noise, and not held."""
        return [point for i in indices for point in _losses(network, self._pair_of_banks(i, pairs), step, "grid")]

    def _pair_of_banks(self, index: int, pairs: int) -> tuple[NoiseBank, NoiseBank]:
        train, held_out = (draw_bank(self.spec, self.points, self.diffusion, s, index=index, pairs=pairs) for s in ("train", "held_out"))
        return train, held_out


def draw_bank(spec: DenoiserSpec, points: TrainingSet, diffusion: Diffusion, name: str, *, index: int, pairs: int) -> NoiseBank:
    """Fixed noised points of the set ``train`` or ``held_out`` at an index, the same at every step of a run."""
    part, labels = (points.train, points.train_labels) if name == "train" else (points.held_out, points.held_out_labels)
    generator = stream(spec.seed, "noise_bank", name, index, device=part.device)
    return NoiseBank.draw(points.to_model(part), diffusion, index=index, pairs=pairs, generator=generator, labels=labels)


def _losses(network: nn.Module, banks: tuple[NoiseBank, NoiseBank], step: int, name: str) -> list[Point]:
    index = banks[0].index
    names = [f"{name}_{what}@{index}" for what in ("train", "held_out", "gap")]
    train, held_out = (bank.losses(network) for bank in banks)
    if not (np.isfinite(train).all() and np.isfinite(held_out).all()):
        return [diverged_point(step, metric, len(train)) for metric in names]
    gap = loss_gap(train, held_out)
    return [
        measured_point(step, metric, found, len(train)) for metric, found in zip(names, (gap.train, gap.held_out, gap.gap), strict=True)
    ]
