"""What theory says of a denoiser's losses: those of the exact empirical denoiser and, where it is known, of the population's."""

from collections.abc import Iterator
from functools import cached_property

import torch
from jaxtyping import Float, Int
from numpy import ndarray
from torch import Tensor

from tauscope.contracts.points import Point
from tauscope.experiments.losses import draw_bank
from tauscope.experiments.measured import measured_point
from tauscope.experiments.training_set import OfPoints, TrainingSet
from tauscope.metrics.intervals import mean_interval
from tauscope.metrics.losses import NoiseBank
from tauscope.process import Diffusion
from tauscope.specs import DenoiserSpec
from tauscope.theory.empirical import empirical_eps
from tauscope.theory.exact import ExactEps


class DenoiserTheory(OfPoints):
    """Measures, once a run, what its losses are held against, on the same pairs of point and noise.

    The exact empirical denoiser answers with the posterior mean over the training points (of the label it is told, where the network is
    told one): no network has a smaller expected training loss, so its training loss is the floor of a full memorizer and its held-out
    loss what such a memorizer pays on points it has not seen. The population's denoiser (of the label it is told) has the smallest
    expected held-out loss.

    Args:
        spec: the run.
        points: those that it learns, on the device.
        diffusion: the forward process, on the device.
        population: the exact prediction of eps in model units, where the law of the data is known.
    """

    def __init__(self, spec: DenoiserSpec, points: TrainingSet, diffusion: Diffusion, population: ExactEps | None = None) -> None:
        super().__init__(spec, points, diffusion)
        self.population = population

    def measured(self, step: int) -> list[Point]:
        """All of it at the run's first measured step, and nothing later: it does not change."""
        if step != first_measured(self.spec):
            return []
        return [point for name, index, pairs in self._asked() for point in self._at(index, pairs, step, name)]

    def _asked(self) -> Iterator[tuple[str, int, int]]:
        """Beside which losses, at which index, on how many pairs."""
        for index in self.spec.loss_indices:
            yield "loss", index, self.spec.measurement.loss_pairs

    def _at(self, index: int, pairs: int, step: int, name: str) -> Iterator[Point]:
        for part in ("train", "held_out"):
            bank = self._bank(part, index, pairs)
            yield self._of_memorizer(bank, step, f"theory_{name}_empirical_{part}@{index}")
            yield from self._known(bank, part, step, f"theory_{name}_", f"_{part}@{index}")

    def _known(self, bank: NoiseBank, part: str, step: int, before: str, after: str) -> Iterator[Point]:
        """What is known of the law of the data."""
        population = self.population
        if population is not None:
            alpha_bar = self._alpha_bar(bank.index)
            losses = bank.losses(lambda x_t, _, labels=None: population(x_t, alpha_bar, labels))
            yield loss_point(step, f"{before}population{after}", losses)

    def _bank(self, part: str, index: int, pairs: int) -> NoiseBank:
        """That of the losses, on the CPU: not every device has float64."""
        bank = draw_bank(self.spec, self.points, self.diffusion, part, index=index, pairs=pairs)
        labels = None if bank.labels is None else bank.labels.cpu()
        return NoiseBank(bank.x_t.cpu(), bank.eps.cpu(), index, labels)

    def _of_memorizer(self, bank: NoiseBank, step: int, metric: str) -> Point:
        unseen = self._unseen_labels(bank)
        if unseen:
            reason = f"no training point has label {', '.join(map(str, unseen))}"
            return Point(step=step, metric=metric, value=None, count=len(bank.x_t), reason=reason)
        return loss_point(step, metric, bank.losses(self._memorizer))

    def _memorizer(self, x_t: Tensor, t: Tensor, labels: Tensor | None = None) -> Tensor:
        alpha_bar = self._alpha_bar(int(t[0]))
        if labels is None:
            return empirical_eps(x_t, self._train, alpha_bar=alpha_bar)
        eps_hat = torch.empty(x_t.shape, dtype=torch.float64)
        for label in labels.unique():
            told = labels == label
            eps_hat[told] = empirical_eps(x_t[told], self._train[self._train_labels == label], alpha_bar=alpha_bar)
        return eps_hat

    def _unseen_labels(self, bank: NoiseBank) -> list[int]:
        return [] if bank.labels is None else sorted(set(bank.labels.tolist()) - set(self._train_labels.tolist()))

    def _alpha_bar(self, index: int) -> float:
        return float(self.diffusion.alpha_bar[index])

    @property
    def _train_labels(self) -> Int[Tensor, " n_train"]:
        labels = self.points.train_labels
        assert labels is not None, "only a network that is told labels has banks with labels"
        return labels.cpu()

    @cached_property
    def _train(self) -> Float[Tensor, "n_train ..."]:
        return self.points.to_model(self.points.train).cpu()


def first_measured(spec: DenoiserSpec) -> int:
    """The first step at which losses are measured; of a run that forks, the first after its fork."""
    begun = 0 if spec.fork is None else spec.fork.step
    return min((step for step in spec.loss_steps if step > begun), default=spec.steps)


def loss_point(step: int, metric: str, losses: Float[ndarray, " pair"]) -> Point:
    """A mean loss with its interval, which does not reach below 0: few pairs carry the floor."""
    value, low, high = mean_interval(losses)
    return measured_point(step, metric, (value, max(low, 0.0), high), len(losses))
