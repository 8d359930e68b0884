"""What theory says of an image run's losses: those of the exact empirical denoiser, and of the best linear filter. Constants of a run."""

from collections.abc import Iterator
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy import ndarray
from torch import Tensor

from tauscope.contracts.points import Point
from tauscope.experiments.image_losses import draw_bank
from tauscope.experiments.image_set import ImageSet
from tauscope.experiments.measured import measured_point
from tauscope.metrics.intervals import mean_interval
from tauscope.metrics.losses import NoiseBank
from tauscope.metrics.spectrum import FourierBands
from tauscope.process import Diffusion
from tauscope.specs import ImageDdpmSpec
from tauscope.theory.empirical import empirical_eps


class ImageTheory:
    """Measures what the curves of a run are held against, on the same pairs of image and noise.

    The exact empirical denoiser answers with the posterior mean over the training images (of the label it is told, where the network is
    told one): no network has a smaller expected training loss, so its training loss is the floor of a full memorizer and its held-out
    loss what such a memorizer pays on images it has not seen. The filter scales each Fourier coefficient by itself and is the best such
    filter for the held-out images; see ``metrics.spectrum``.

    Args:
        spec: the run.
        images: its images, on the device.
        diffusion: the forward process, on the device.
    """

    def __init__(self, spec: ImageDdpmSpec, images: ImageSet, diffusion: Diffusion) -> None:
        self.spec = spec
        self.images = images
        self.diffusion = diffusion

    def points(self, step: int) -> list[Point]:
        """All of it at the run's first measured step, and nothing later: it does not change."""
        return list(self._points(step)) if step == first_measured(self.spec) else []

    def _points(self, step: int) -> Iterator[Point]:
        measurement = self.spec.measurement
        for index in measurement.loss_indices:
            yield from self._at(index, measurement.loss_pairs, step, "loss")
        if (grid := measurement.loss_grid) is not None:
            for index in grid.indices(self.spec.process):
                yield from self._at(index, grid.pairs, step, "grid")

    def _at(self, index: int, pairs: int, step: int, name: str) -> Iterator[Point]:
        for part in ("train", "held_out"):
            bank = self._bank(part, index, pairs)
            yield self._of_memorizer(bank, step, f"theory_{name}_empirical_{part}@{index}")
            if part == "held_out":
                yield _point(step, f"theory_{name}_linear_{part}@{index}", self._filter_losses(bank))

    def _bank(self, part: str, index: int, pairs: int) -> NoiseBank:
        """That of the losses, on the CPU: not every device has float64."""
        bank = draw_bank(self.spec, self.images, self.diffusion, part, index=index, pairs=pairs)
        labels = None if bank.labels is None else bank.labels.cpu()
        return NoiseBank(bank.x_t.cpu(), bank.eps.cpu(), index, labels)

    def _of_memorizer(self, bank: NoiseBank, step: int, metric: str) -> Point:
        unseen = self._unseen_labels(bank)
        if unseen:
            reason = f"no training image has label {', '.join(map(str, unseen))}"
            return Point(step=step, metric=metric, value=None, count=len(bank.x_t), reason=reason)
        return _point(step, metric, bank.losses(self._memorizer))

    def _memorizer(self, x_t: Tensor, t: Tensor, labels: Tensor | None = None) -> Tensor:
        alpha_bar = float(self.diffusion.alpha_bar[int(t[0])])
        if labels is None:
            return empirical_eps(x_t, self._train, alpha_bar=alpha_bar)
        eps_hat = torch.empty(x_t.shape, dtype=torch.float64)
        for label in labels.unique():
            told = labels == label
            eps_hat[told] = empirical_eps(x_t[told], self._train[self._train_labels == label], alpha_bar=alpha_bar)
        return eps_hat

    def _unseen_labels(self, bank: NoiseBank) -> list[int]:
        return [] if bank.labels is None else sorted(set(bank.labels.tolist()) - set(self._train_labels.tolist()))

    def _filter_losses(self, bank: NoiseBank) -> Float[ndarray, " pair"]:
        """The squared error of the filter's eps_hat per pixel, for each pair."""
        alpha_bar = float(self.diffusion.alpha_bar[bank.index])
        noise, held_out = (1 - alpha_bar) / alpha_bar, self._about_mean
        turn = np.arange(len(bank.eps)) % len(held_out)
        left = self._fourier.filter_energy(held_out[turn], _array(bank.eps), self._power, noise)
        return left[:, 0] / (noise * bank.eps[0].numel())

    @property
    def _train_labels(self) -> Int[Tensor, " n_train"]:
        assert self.images.train_labels is not None, "only a network that is told labels has banks with labels"
        return self.images.train_labels.cpu()

    @cached_property
    def _fourier(self) -> FourierBands:
        channels, height, width = self.images.train.shape[1:]
        return FourierBands.of((channels, height, width), lambda radius: 0, 1)

    @cached_property
    def _power(self) -> Float[ndarray, " coefficient"]:
        return self._fourier.power(self._about_mean)

    @cached_property
    def _about_mean(self) -> Float[ndarray, "image channel height width"]:
        return _array(self.images.to_model(self.images.held_out)) - _array(self._train).mean(0)

    @cached_property
    def _train(self) -> Float[Tensor, "n_train channel height width"]:
        return self.images.to_model(self.images.train).cpu()


def first_measured(spec: ImageDdpmSpec) -> int:
    """The first step at which losses are measured; of a run that forks, the first after its fork."""
    begun = 0 if spec.fork is None else spec.fork.step
    schedules = [spec.measurement.schedule, *([spec.measurement.loss_schedule] if spec.measurement.loss_schedule else [])]
    return min((step for schedule in schedules for step in schedule.steps(spec.steps) if step > begun), default=spec.steps)


def _point(step: int, metric: str, losses: Float[ndarray, " pair"]) -> Point:
    value, low, high = mean_interval(losses)
    return measured_point(step, metric, (value, max(low, 0.0), high), len(losses))  # Few pairs carry the floor; no loss is below 0.


def _array(images: Tensor) -> Float[ndarray, "image channel height width"]:
    return images.cpu().double().numpy()
