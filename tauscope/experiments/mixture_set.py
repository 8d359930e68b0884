"""The points of a run on a mixture, drawn from streams of their own."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from tauscope.specs.gmm import GmmSpec
from tauscope.specs.mixture import MixtureSpec
from tauscope.theory.mixture import Mixture
from tauscope.training.seeding import stream


@dataclass(frozen=True)
class MixtureSet:
    """Independent draws of a mixture, float32, and the mixture that they are of.

    Attributes:
        population: the mixture.
        train: n of them.
        held_out: others, never trained on.
        fresh: as many as are generated: what the population itself scores.
        reference: as many again, which samples and fresh draws are compared with.
        train_labels: the component of each, where the network is told it.
        held_out_labels: likewise.
    """

    population: Mixture
    train: Float[Tensor, "n_train dim"]
    held_out: Float[Tensor, "n_held_out dim"]
    fresh: Float[Tensor, "n_generated dim"]
    reference: Float[Tensor, "n_generated dim"]
    train_labels: Int[Tensor, " n_train"] | None = None
    held_out_labels: Int[Tensor, " n_held_out"] | None = None

    @classmethod
    def draw(cls, spec: GmmSpec, device: torch.device) -> "MixtureSet":
        """All of a run's points, on the CPU from the run's seed, then moved: the same on every device."""
        population = mixture_of(spec.dataset)

        def draws(name: str, count: int) -> tuple[Tensor, Tensor]:
            x, component = population.sample(count, stream(spec.seed, "mixture", name))
            return x.float().to(device), component.to(device)

        generated = spec.measurement.n_generated
        train, train_labels = draws("train", spec.n_train)
        held_out, held_out_labels = draws("held_out", spec.dataset.n_held_out)
        sets = (population.to(device), train, held_out, draws("fresh", generated)[0], draws("reference", generated)[0])
        return cls(*sets, train_labels, held_out_labels) if spec.labels else cls(*sets)

    def to_model(self, points: Tensor) -> Tensor:
        """The network sees the points as they are."""
        return points


def mixture_of(spec: MixtureSpec) -> Mixture:
    """The mixture that a spec describes."""
    weights = None if spec.weights is None else torch.tensor(spec.weights, dtype=torch.float64)
    stds: Tensor | float = spec.sigma if spec.sigmas is None else torch.tensor(spec.sigmas, dtype=torch.float64).view(-1, spec.dim)
    return Mixture.of(_centres(spec), stds, weights)


def _centres(spec: MixtureSpec) -> Float[Tensor, "component dim"]:
    if spec.means is not None:
        return torch.tensor(spec.means, dtype=torch.float64).view(spec.components, spec.dim)
    if spec.name == "pair":
        return spec.mu * torch.tensor([[1.0], [-1.0]], dtype=torch.float64).expand(2, spec.dim)
    generator = stream(spec.centres_seed, "mixture_centres")
    return spec.mu * torch.randn(spec.components, spec.dim, generator=generator, dtype=torch.float64)
