"""Where in frequency, and along which principal components, the learned denoiser of an image run errs."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor, nn

from tauscope.contracts.points import Point
from tauscope.experiments.image_losses import draw_bank
from tauscope.experiments.image_set import ImageSet
from tauscope.experiments.measured import diverged_point, measured_point
from tauscope.metrics.intervals import ratio_interval
from tauscope.metrics.losses import NoiseBank
from tauscope.metrics.spectrum import ComponentGroups, FourierBands
from tauscope.process import Diffusion
from tauscope.specs import ImageDdpmSpec
from tauscope.specs.spectrum import SpectrumSpec

_NO_ENERGY = 1e-9  # Of all energy, below which a group holds none but rounding.
Parts = FourierBands | ComponentGroups


@dataclass(frozen=True)
class _Asked:
    """Noised images of one set, and the energy of each about the mean training image in every band and group."""

    bank: NoiseBank
    energy: dict[str, Float[ndarray, "pair part"]]


class ImageSpectrum:
    """Measures |x0_hat - x0|^2 by band and group, relative to the energy of the images about the mean training image.

    0 is a perfect answer, 1 that of a denoiser that knows the mean training image alone. The pairs are those of the losses: at an index
    where both are measured, the parts of the error add up to (1 - alpha_bar) / alpha_bar times the loss (Parseval).

    Args:
        spec: the run.
        images: its images, on the device.
        diffusion: the forward process, on the device.
    """

    def __init__(self, spec: ImageDdpmSpec, images: ImageSet, diffusion: Diffusion) -> None:
        self.spec = spec
        self.images = images
        self.diffusion = diffusion

    @torch.no_grad()
    def points(self, network: nn.Module, step: int) -> list[Point]:
        """The error of both sets and what a linear filter leaves, by part; nothing where the spec asks for none."""
        asked = self.spec.measurement.spectrum
        if asked is None:
            return []
        found = [point for name in self._sets for point in self._errors(network, step, name, asked.index)]
        return [*found, *(point.model_copy(update={"step": step}) for point in self._linear)]

    def _errors(self, network: nn.Module, step: int, name: str, index: int) -> Iterator[Point]:
        asked = self._sets[name]
        errors = _array(torch.cat(list(asked.bank.differences(network)))) * self._noise**0.5
        finite = bool(np.isfinite(errors).all())
        for part, groups in self._parts.items():
            whole = asked.energy[part].sum()
            left = groups.energy(errors) if finite else None
            for k, energy in enumerate(asked.energy[part].T):
                metric = f"error_{part}_{name}@{index}:{k}"
                if energy.sum() <= _NO_ENERGY * whole:
                    continue
                if left is None:
                    yield diverged_point(step, metric, len(energy))
                else:
                    yield measured_point(step, metric, ratio_interval(left[:, k], energy), len(energy))

    @cached_property
    def _sets(self) -> dict[str, _Asked]:
        found = {}
        for name, part in (("train", self.images.train), ("held_out", self.images.held_out)):
            pairs = self.spec.measurement.loss_pairs
            bank = draw_bank(self.spec, self.images, self.diffusion, name, index=self._asked.index, pairs=pairs)
            about = self._about_mean(part)[np.arange(len(bank.eps)) % len(part)]
            found[name] = _Asked(bank, {key: groups.energy(about) for key, groups in self._parts.items()})
        return found

    @cached_property
    def _linear(self) -> list[Point]:
        """What the filter that is best for the held-out images leaves; computed from their mean energies, so without an interval."""
        held_out, index = self._about_mean(self.images.held_out), self._asked.index
        return [
            Point(step=0, metric=f"error_{part}_linear@{index}:{k}", value=float(left), count=len(held_out))
            for part, groups in self._parts.items()
            for k, left in enumerate(groups.filtered(held_out, self._noise))
            if np.isfinite(left)
        ]

    @cached_property
    def _parts(self) -> dict[str, Parts]:
        asked, train = self._asked, _array(self.images.to_model(self.images.train))
        height, width = train.shape[2:]
        ends = asked.edges(self.spec.dataset.size)
        return {
            "band": FourierBands.of(height, width, lambda radius: asked.band_of(radius, ends), asked.bands),
            "pc": ComponentGroups.of(train, asked.group_of, asked.components),
        }

    def _about_mean(self, part: Tensor) -> Float[ndarray, "image channel height width"]:
        return _array(self.images.to_model(part)) - _array(self.images.to_model(self.images.train)).mean(0)

    @property
    def _noise(self) -> float:
        """The variance of the noise of x_t / sqrt(alpha_bar)."""
        alpha_bar = float(self.diffusion.alpha_bar[self._asked.index])
        return (1 - alpha_bar) / alpha_bar

    @property
    def _asked(self) -> SpectrumSpec:
        spectrum = self.spec.measurement.spectrum
        assert spectrum is not None
        return spectrum


def _array(images: Tensor) -> Float[ndarray, "image channel height width"]:
    return images.cpu().double().numpy()  # On the CPU: not every device has float64.
