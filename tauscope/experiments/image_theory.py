"""What theory says of an image run's losses: beside the exact empirical denoiser the best linear filter, and both over all noise levels."""

from collections.abc import Iterator
from functools import cached_property

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor

from tauscope.contracts.points import Point
from tauscope.experiments.image_set import ImageSet
from tauscope.experiments.theory import DenoiserTheory, loss_point
from tauscope.metrics.losses import NoiseBank
from tauscope.metrics.spectrum import FourierBands
from tauscope.process import Diffusion
from tauscope.specs import ImageDdpmSpec


class ImageTheory(DenoiserTheory):
    """The filter scales each Fourier coefficient by itself and is the best such for the held-out images (``metrics.spectrum``)."""

    def __init__(self, spec: ImageDdpmSpec, images: ImageSet, diffusion: Diffusion) -> None:
        super().__init__(spec, images, diffusion)
        self._grid = spec.measurement.loss_grid

    def _asked(self) -> Iterator[tuple[str, int, int]]:
        yield from super()._asked()
        if self._grid is not None:
            for index in self._grid.indices(self.spec.process):
                yield "grid", index, self._grid.pairs

    def _known(self, bank: NoiseBank, part: str, step: int, before: str, after: str) -> Iterator[Point]:
        yield from super()._known(bank, part, step, before, after)
        if part == "held_out":
            yield loss_point(step, f"{before}linear{after}", self._filter_losses(bank))

    def _filter_losses(self, bank: NoiseBank) -> Float[ndarray, " pair"]:
        """The squared error of the filter's eps_hat per pixel, for each pair."""
        alpha_bar, held_out = self._alpha_bar(bank.index), self._about_mean
        noise, turn = (1 - alpha_bar) / alpha_bar, np.arange(len(bank.eps)) % len(held_out)
        left = self._fourier.filter_energy(held_out[turn], _array(bank.eps), self._power, noise)
        return left[:, 0] / (noise * bank.eps[0].numel())

    @cached_property
    def _fourier(self) -> FourierBands:
        channels, height, width = self.points.train.shape[1:]
        return FourierBands.of((channels, height, width), lambda radius: 0, 1)

    @cached_property
    def _power(self) -> Float[ndarray, " coefficient"]:
        return self._fourier.power(self._about_mean)

    @cached_property
    def _about_mean(self) -> Float[ndarray, "image channel height width"]:
        return _array(self.points.to_model(self.points.held_out)) - _array(self._train).mean(0)


def _array(images: Tensor) -> Float[ndarray, "image channel height width"]:
    return images.cpu().double().numpy()
