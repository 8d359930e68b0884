"""The training step: noise a batch, predict eps, descend on the squared error (Ho et al. 2020, arXiv:2006.11239, algorithm 1)."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from tauscope.networks.unet import SeededDropout
from tauscope.process import Diffusion
from tauscope.specs import ImageDdpmSpec
from tauscope.training.ema import WeightAverage
from tauscope.training.optimizers import build_optimizer
from tauscope.training.seeding import derive_seed, stream

FINITE_CHECK_EVERY = 50


class DivergedError(ArithmeticError):
    """The training loss is no longer a number."""

    def __init__(self, step: int) -> None:
        super().__init__(f"the training loss is not finite at step {step}")
        self.step = step


class Trainer:
    """Weights, optimizer and moving average of one run, and the step that moves them.

    Args:
        spec: the run.
        network: predicts eps from (x_t, t), on its device.
        diffusion: the forward process, on the same device.
        x_0: the training images in model units, on the same device.
        labels: of those images, where the network is told them.
    """

    def __init__(
        self,
        spec: ImageDdpmSpec,
        network: nn.Module,
        diffusion: Diffusion,
        x_0: Float[Tensor, "n_train channel height width"],
        labels: Int[Tensor, " n_train"] | None = None,
    ) -> None:
        self.spec = spec
        self.network = network.train()
        self.diffusion = diffusion
        self.x_0 = x_0
        self.labels = labels
        self.step = 0
        self.optimizer = build_optimizer(network.parameters(), spec.optimizer)
        self.average = WeightAverage(network, spec.ema.decay if spec.ema else None)
        self._generator = torch.Generator(x_0.device)
        self._epoch: tuple[int, Tensor] = (-1, torch.empty(0))
        for module in network.modules():
            if isinstance(module, SeededDropout):
                module.generator = self._generator

    def advance(self) -> Tensor:
        """Do one training step and return its loss, a scalar on the device.

        Raises:
            DivergedError: when the loss is not finite; on an accelerator it is looked at only now and then.
        """
        self._generator.manual_seed(derive_seed(self.spec.seed, "step", self.step))
        batch = self._batch()
        x_0 = self.x_0[batch]
        first = self.diffusion.first_trained_index
        t = torch.randint(first, self.diffusion.steps, (len(x_0),), generator=self._generator, device=x_0.device)
        eps = torch.randn(x_0.shape, generator=self._generator, device=x_0.device)
        loss = (self.network(self.diffusion.noised(x_0, t, eps), t, *self._told(batch)) - eps).square().mean()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        self.step += 1
        self.average.update(self.step)
        if x_0.device.type == "cpu" or self.step % FINITE_CHECK_EVERY == 0:
            self.check_finite(loss)
        return loss.detach()

    def check_finite(self, loss: Tensor) -> None:
        """Raise ``DivergedError`` unless the loss is a finite number."""
        if not bool(torch.isfinite(loss)):
            raise DivergedError(self.step)

    def _batch(self) -> Int[Tensor, " batch"]:
        n_train, batch = len(self.x_0), self.spec.batch
        device = self.x_0.device
        if self.spec.batch_size == "full":
            return torch.arange(n_train, device=device)
        if self.spec.replacement:
            return torch.randint(n_train, (batch,), generator=self._generator, device=device)
        epoch, place = divmod(self.step, n_train // batch)
        return self._permutation(epoch)[place * batch : (place + 1) * batch]

    def _told(self, batch: Int[Tensor, " batch"]) -> tuple[Tensor, ...]:
        """The labels of a batch, some withheld: -1 in their place. Drawn last, so that nothing else is drawn differently."""
        if self.labels is None:
            return ()
        dropped = torch.rand(len(batch), generator=self._generator, device=batch.device) < self.spec.network.label_drop
        return (self.labels[batch].where(~dropped, -1),)

    def _permutation(self, epoch: int) -> Int[Tensor, " n_train"]:
        if self._epoch[0] != epoch:
            order = torch.randperm(len(self.x_0), generator=stream(self.spec.seed, "epoch", epoch))
            self._epoch = (epoch, order.to(self.x_0.device))
        return self._epoch[1]
