"""The training step: noise a batch, predict, descend on the squared error (Ho et al. 2020, arXiv:2006.11239, algorithm 1)."""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from tauscope.networks import Parameterized
from tauscope.networks.unet import SeededDropout
from tauscope.process import Diffusion
from tauscope.specs import DenoiserSpec
from tauscope.training.ema import WeightAverage, decay_rule
from tauscope.training.learning_rate import learning_rate
from tauscope.training.optimizers import build_optimizer
from tauscope.training.seeding import derive_seed, stream
from tauscope.training.team import Team

FINITE_CHECK_EVERY = 50

Penalty = Callable[[Tensor, Tensor, Tensor], Tensor]


class DivergedError(ArithmeticError):
    """The training loss, or a weight, is no longer a number."""

    def __init__(self, step: int, checkpoint: int | None = None, *, what: str = "the training loss is") -> None:
        kept = f"the last checkpoint is that of step {checkpoint}" if checkpoint is not None else "there is no checkpoint before it"
        super().__init__(f"{what} not finite at step {step}; {kept}")
        self.step = step
        self.checkpoint = checkpoint


class Trainer:
    """Weights, optimizer and averages of one run, and the step that moves them.

    Args:
        spec: the run.
        network: predicts eps from (x_t, t), on its device.
        diffusion: the forward process, on the same device.
        x_0: the training points in model units, on the same device.
        labels: of those points, where the network is told them.
        team: with whom each batch is shared.
        penalty: what is added to the loss of a batch, of x_t, t and eps_hat.

    Attributes:
        data_sha256: of all that the run learns from and is measured on; a checkpoint holds it, and is only resumed from on the same data.
            ``None`` where the data follow from the spec.
    """

    def __init__(
        self,
        spec: DenoiserSpec,
        network: nn.Module,
        diffusion: Diffusion,
        x_0: Float[Tensor, "n_train ..."],
        labels: Int[Tensor, " n_train"] | None = None,
        team: Team | None = None,
        penalty: Penalty | None = None,
    ) -> None:
        self.spec = spec
        self.penalty = penalty
        self.network = network.train()
        self.diffusion = diffusion
        self.x_0 = x_0
        self.labels = labels
        self.team = team or Team()
        self.step = 0
        self.saved: int | None = None
        self.data_sha256: str | None = None
        self.optimizer = build_optimizer(network.parameters(), spec.optimizer)
        ema = spec.ema
        self.average = WeightAverage(network, decay_rule(ema, ema.lengths[0]) if ema else None)
        further = ema.further_names if ema else {}
        self.further = {name: WeightAverage(network, decay_rule(ema, length)) for name, length in further.items() if ema}
        self._parameters = list(network.parameters())
        self._learner = network.network if isinstance(network, Parameterized) else network
        self._generator = torch.Generator(x_0.device)
        self._losses = torch.zeros((), device=x_0.device)
        self._epoch: tuple[int, Tensor] = (-1, torch.empty(0))
        for module in network.modules():
            if isinstance(module, SeededDropout):
                module.generator = self._generator
        if spec.compute.compile:
            self._learner.compile()

    def advance(self) -> Tensor:
        """Do one training step and return its loss, a scalar on the device.

        Raises:
            DivergedError: when the loss is not finite; on an accelerator it is looked at only now and then.
        """
        self.team.begin()
        self._generator.manual_seed(derive_seed(self.spec.seed, "step", self.step))
        batch = self._batch()
        x_0 = self.x_0[batch]
        t = self._times(len(x_0))
        eps = torch.randn(x_0.shape, generator=self._generator, device=x_0.device)
        told = self._told(batch)
        self.optimizer.zero_grad()
        loss = self._gradient(x_0, t, eps, told)
        self._descend()
        self.step += 1
        for average in (self.average, *self.further.values()):
            average.update(self.step)
        self._losses = self._losses + loss  # What is not finite once stays so, until somebody looks.
        if x_0.device.type == "cpu" or self.step % FINITE_CHECK_EVERY == 0:
            self._check_losses()
        return loss

    def further_networks(self) -> dict[str, nn.Module]:
        """The further averages by the suffix of their metrics, to measure with."""
        return {name: average.settle() for name, average in self.further.items()}

    def check_finite(self) -> None:
        """Raise ``DivergedError`` unless every loss since the last look, and every weight, is a finite number."""
        self._check_losses()
        if not all(bool(torch.isfinite(weight).all()) for weight in self._parameters):
            raise DivergedError(self.step, self.saved, what="some weights are")

    def _check_losses(self) -> None:
        if not bool(torch.isfinite(self._losses)):
            raise DivergedError(self.step, self.saved)
        self._losses = torch.zeros_like(self._losses)

    def _gradient(self, x_0: Tensor, t: Tensor, eps: Tensor, told: tuple[Tensor, ...]) -> Tensor:
        """Sum the gradient over the parts of this member of the team, then over the team; return the loss of the batch."""
        first, end = self.team.share(len(x_0))
        size = self.spec.compute.micro_batch or end - first
        total = torch.zeros((), device=x_0.device)
        for start in range(first, end, size):
            if start > 0:  # No two parts may drop the same units.
                self._generator.manual_seed(derive_seed(self.spec.seed, "dropout", self.step, start))
            part = slice(start, min(start + size, end))
            loss = self._loss(x_0[part], t[part], eps[part], *(labels[part] for labels in told)) * (len(t[part]) / len(t))
            loss.backward()
            total = total + loss.detach()
        return self.team.add_up(self._parameters, total)

    def _loss(self, x_0: Tensor, t: Tensor, eps: Tensor, *told: Tensor) -> Tensor:
        """Mean squared error of what the network learns: of eps, or of what stands for it."""
        bfloat16 = self.spec.compute.precision == "bfloat16"
        x_t = self.diffusion.noised(x_0, t, eps)
        with torch.autocast(x_0.device.type, dtype=torch.bfloat16, enabled=bfloat16):
            predicted = self._learner(x_t, t, *told)
        predicted = predicted.float()
        target = self.network.target(x_0, t, eps) if isinstance(self.network, Parameterized) else eps
        loss = (predicted - target).square().mean()
        if self.penalty is None:
            return loss
        return loss + self.penalty(x_t, t, self.network.eps(x_t, t, predicted) if isinstance(self.network, Parameterized) else predicted)

    def _descend(self) -> None:
        optimizer = self.spec.optimizer
        if optimizer.clip_norm is not None:
            nn.utils.clip_grad_norm_(self._parameters, optimizer.clip_norm)
        self.optimizer.step(learning_rate(optimizer, self.step))

    def _times(self, batch: int) -> Int[Tensor, " batch"]:
        trained, device = self.spec.trained_indices, self.x_0.device
        if self.spec.only_index is not None:
            return torch.full((batch,), self.spec.only_index, device=device)
        return torch.randint(trained.start, trained.stop, (batch,), generator=self._generator, device=device)

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
        dropped = torch.rand(len(batch), generator=self._generator, device=batch.device) < self.spec.network.withheld
        return (self.labels[batch].where(~dropped, -1),)

    def _permutation(self, epoch: int) -> Int[Tensor, " n_train"]:
        if self._epoch[0] != epoch:
            order = torch.randperm(len(self.x_0), generator=stream(self.spec.seed, "epoch", epoch))
            self._epoch = (epoch, order.to(self.x_0.device))
        return self._epoch[1]
