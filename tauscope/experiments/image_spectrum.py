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
from tauscope.experiments.image_set import OfImages
from tauscope.experiments.losses import draw_bank
from tauscope.experiments.measured import diverged_point, measured_point
from tauscope.metrics.intervals import ratio_interval
from tauscope.metrics.losses import NoiseBank
from tauscope.metrics.spectrum import Basis, ComponentGroups, FourierBands
from tauscope.specs.spectrum import SpectrumSpec

_NO_ENERGY = 1e-9  # Of all energy, below which a group holds none but rounding.


@dataclass(frozen=True)
class _Asked:
    """Noised images of one set, and of each in every part its energy about the mean training image and what the filter leaves of it."""

    bank: NoiseBank
    energy: dict[str, Float[ndarray, "pair part"]]
    filtered: dict[str, Float[ndarray, "pair part"]]


class ImageSpectrum(OfImages):
    """Measures |x0_hat - x0|^2 by band and group, relative to the energy of the images about the mean training image.

    0 is a perfect answer, 1 that of a denoiser that knows the mean training image alone. The pairs are those of the losses: at an index
    where both are measured, the parts of the error add up to (1 - alpha_bar) / alpha_bar times the loss (Parseval). The held-out error is
    also given over that of the linear filter on the same pairs: what both owe to the choice of pairs drops out of the ratio.
    """

    @torch.no_grad()
    def points(self, network: nn.Module, step: int) -> list[Point]:
        """The error of both sets and what a linear filter leaves, by part; nothing where the spec asks for none."""
        if self.spec.measurement.spectrum is None:
            return []
        found = [point for name in self._sets for point in self._errors(network, step, name)]
        return [*found, *(point.model_copy(update={"step": step}) for point in self._linear)]

    def _errors(self, network: nn.Module, step: int, name: str) -> Iterator[Point]:
        asked = self._sets[name]
        errors = _array(torch.cat(list(asked.bank.differences(network)))) * self._noise**0.5
        finite = bool(np.isfinite(errors).all())
        for part, basis in self._bases.items():
            left = basis.energy(errors) if finite else None
            yield from _ratios(step, f"error_{part}_{name}@{self._asked.index}", left, asked.energy[part])
            if name == "held_out":
                yield from _ratios(step, f"error_{part}_ratio@{self._asked.index}", left, asked.filtered[part])

    @cached_property
    def _sets(self) -> dict[str, _Asked]:
        found, pairs = {}, self.spec.measurement.loss_pairs
        for name, part in (("train", self.images.train), ("held_out", self.images.held_out)):
            bank = draw_bank(self.spec, self.images, self.diffusion, name, index=self._asked.index, pairs=pairs)
            about, eps = self._about_mean(part)[np.arange(pairs) % len(part)], _array(bank.eps)
            energy = {key: basis.energy(about) for key, basis in self._bases.items()}
            filtered = {key: basis.filter_energy(about, eps, self._power[key], self._noise) for key, basis in self._bases.items()}
            found[name] = _Asked(bank, energy, filtered)
        return found

    @cached_property
    def _power(self) -> dict[str, Float[ndarray, " coefficient"]]:
        held_out = self._about_mean(self.images.held_out)
        return {part: basis.power(held_out) for part, basis in self._bases.items()}

    @cached_property
    def _linear(self) -> list[Point]:
        """What the filter that is best for the held-out images leaves; computed from their mean energies, so without an interval."""
        count, index = len(self.images.held_out), self._asked.index
        return [
            Point(step=0, metric=f"error_{part}_linear@{index}:{k}", value=float(left), count=count)
            for part, basis in self._bases.items()
            for k, left in enumerate(basis.filter_error(self._power[part], self._noise))
            if np.isfinite(left)
        ]

    @cached_property
    def _bases(self) -> dict[str, Basis]:
        asked, train = self._asked, _array(self.images.to_model(self.images.train))
        channels, height, width = train.shape[1:]
        ends = asked.edges(self.spec.dataset.size)
        return {
            "band": FourierBands.of((channels, height, width), lambda radius: asked.band_of(radius, ends), asked.bands),
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


def _ratios(step: int, metric: str, left: ndarray | None, whole: Float[ndarray, "pair part"]) -> Iterator[Point]:
    """What is left in each part over the whole there; parts without energy are not measured."""
    for k, energy in enumerate(whole.T):
        if energy.sum() <= _NO_ENERGY * whole.sum():
            continue
        if left is None:
            yield diverged_point(step, f"{metric}:{k}", len(energy))
        else:
            yield measured_point(step, f"{metric}:{k}", ratio_interval(left[:, k], energy), len(energy))


def _array(images: Tensor) -> Float[ndarray, "image channel height width"]:
    return images.cpu().double().numpy()  # On the CPU: not every device has float64.
