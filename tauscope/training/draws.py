"""What each training step is drawn: its points, their times, noise and labels."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from tauscope.specs import DenoiserSpec
from tauscope.training.seeding import derive_seed, stream


class Drawn(NamedTuple):
    """Of one step.

    Attributes:
        batch: the training points.
        t: the diffusion index of each.
        eps: the noise of each.
        told: their labels, -1 where withheld; empty where the network is told none.
    """

    batch: Int[Tensor, " batch"]
    t: Int[Tensor, " batch"]
    eps: Float[Tensor, "batch ..."]
    told: tuple[Int[Tensor, " batch"], ...]


class Draws:
    """Draws by address: those of a step depend on the seed and the step alone, whenever they are asked for.

    Args:
        spec: the run.
        x_0: its training points.
        labels: of those points, where the network is told them.

    Attributes:
        generator: goes on from where the last draws ended; dropout draws from it.
    """

    def __init__(self, spec: DenoiserSpec, x_0: Float[Tensor, "n_train ..."], labels: Int[Tensor, " n_train"] | None) -> None:
        self.generator = torch.Generator(x_0.device)
        self._spec = spec
        self._rows, self._trained = spec.batch, spec.trained_indices
        self._labels = labels
        self._n_train, self._point, self._device = len(x_0), x_0.shape[1:], x_0.device
        self._epoch: tuple[int, Tensor] = (-1, torch.empty(0))

    def at(self, step: int) -> Drawn:
        """Of a step, counted from 0."""
        self.generator.manual_seed(derive_seed(self._spec.seed, "step", step))
        batch = self._batch(step)
        t = self._times(len(batch))
        eps = torch.randn(len(batch), *self._point, generator=self.generator, device=self._device)
        return Drawn(batch, t, eps, self._told(batch))

    def _times(self, batch: int) -> Int[Tensor, " batch"]:
        trained, device = self._trained, self._device
        if self._spec.only_index is not None:
            return torch.full((batch,), self._spec.only_index, device=device)
        return torch.randint(trained.start, trained.stop, (batch,), generator=self.generator, device=device)

    def _batch(self, step: int) -> Int[Tensor, " batch"]:
        n_train, batch, device = self._n_train, self._rows, self._device
        if self._spec.batch_size == "full":
            return torch.arange(n_train, device=device)
        if self._spec.replacement:
            return torch.randint(n_train, (batch,), generator=self.generator, device=device)
        epoch, place = divmod(step, n_train // batch)
        return self._permutation(epoch)[place * batch : (place + 1) * batch]

    def _told(self, batch: Int[Tensor, " batch"]) -> tuple[Tensor, ...]:
        """The labels of a batch, some withheld: -1 in their place. Drawn last, so that nothing else is drawn differently."""
        if self._labels is None:
            return ()
        dropped = torch.rand(len(batch), generator=self.generator, device=batch.device) < self._spec.network.withheld
        return (self._labels[batch].where(~dropped, -1),)

    def _permutation(self, epoch: int) -> Int[Tensor, " n_train"]:
        if self._epoch[0] != epoch:
            order = torch.randperm(self._n_train, generator=stream(self._spec.seed, "epoch", epoch))
            self._epoch = (epoch, order.to(self._device))
        return self._epoch[1]
