"""The training step: noise a batch, predict, descend on the squared error (Ho et al. 2020, arXiv:2006.11239, algorithm 1)."""

import math
from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from tauscope.networks import Parameterized
from tauscope.networks.unet import SeededDropout
from tauscope.process import Diffusion
from tauscope.specs import DenoiserSpec
from tauscope.training.draws import Draws
from tauscope.training.ema import WeightAverage, decay_rule
from tauscope.training.gathered import divided_slots, gather_with_gradients, joined_slots
from tauscope.training.learning_rate import learning_rate
from tauscope.training.optimizers import Slots, build_optimizer
from tauscope.training.perceptron_pass import PerceptronPass, served
from tauscope.training.seeding import derive_seed
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
        labels_sha256: likewise of their labels, told to the network or not; ``None`` also where there are none.
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
        self.team = team or Team()
        self.step = 0
        self.saved: int | None = None
        self.data_sha256: str | None = None
        self.labels_sha256: str | None = None
        self._draws = Draws(spec, x_0, labels)
        self._parts = list(network.parameters())
        self._whole = gather_with_gradients(self._parts) if served(spec, network, x_0.device) else None
        self._parameters = self._parts if self._whole is None else [self._whole]
        self._pass = None if self._whole is None else PerceptronPass(spec, network, self._whole, diffusion, x_0, self._draws)
        self.optimizer = build_optimizer(self._parameters, spec.optimizer, whole=self._whole is not None)
        ema = spec.ema
        self.average = WeightAverage(network, decay_rule(ema, ema.lengths[0]) if ema else None, self._whole)
        further = ema.further_names if ema else {}
        self.further = {name: WeightAverage(network, decay_rule(ema, length), self._whole) for name, length in further.items() if ema}
        self._learner = network.network if isinstance(network, Parameterized) else network
        self._losses = torch.zeros((), device=x_0.device)
        for module in network.modules():
            if isinstance(module, SeededDropout):
                module.generator = self._draws.generator
        if spec.compute.compile:
            self._learner.compile()

    def advance(self) -> Tensor:
        """Do one training step and return its loss, a scalar on the device.

        Raises:
            DivergedError: when the loss is not finite; on an accelerator it is looked at only now and then.
        """
        self.team.begin()
        loss = self._pass.gradient(self.step) if self._pass else self._by_autograd()
        self._descend()
        self.step += 1
        for average in (self.average, *self.further.values()):
            average.update(self.step)
        self._losses += loss  # What is not finite once stays so, until somebody looks.
        if self.x_0.device.type == "cpu" or self.step % FINITE_CHECK_EVERY == 0:
            self._check_losses()
        return loss

    @property
    def remembered(self) -> dict[int, Slots]:
        """What the optimizer remembers of each weight, by its place in the network."""
        return self.optimizer.slots if self._whole is None else divided_slots(self.optimizer.slots, self._parts)

    def remember(self, slots: dict[int, Slots]) -> None:
        """Go on from what another optimizer remembered."""
        self.optimizer.load(slots if self._whole is None else joined_slots(slots))

    def further_networks(self) -> dict[str, nn.Module]:
        """The further averages by the suffix of their metrics, to measure with."""
        return {name: average.settle() for name, average in self.further.items()}

    def check_finite(self) -> None:
        """Raise ``DivergedError`` unless every loss since the last look, and every weight, is a finite number."""
        self._check_losses()
        if not all(bool(torch.isfinite(weight).all()) for weight in self._parameters):
            raise DivergedError(self.step, self.saved, what="some weights are")

    def _check_losses(self) -> None:
        if not math.isfinite(self._losses.item()):
            raise DivergedError(self.step, self.saved)
        self._losses.zero_()

    def _by_autograd(self) -> Tensor:
        drawn = self._draws.at(self.step)
        self.optimizer.zero_grad()
        return self._gradient(self.x_0[drawn.batch], drawn.t, drawn.eps, drawn.told)

    def _gradient(self, x_0: Tensor, t: Tensor, eps: Tensor, told: tuple[Tensor, ...]) -> Tensor:
        """Sum the gradient over the parts of this member of the team, then over the team; return the loss of the batch."""
        first, end = self.team.share(len(x_0))
        size = self.spec.compute.micro_batch or end - first
        total = torch.zeros((), device=x_0.device)
        for start in range(first, end, size):
            if start > 0:  # No two parts may drop the same units.
                self._draws.generator.manual_seed(derive_seed(self.spec.seed, "dropout", self.step, start))
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
