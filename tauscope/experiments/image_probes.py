"""The probes of an image run at a step: membership attacks, the projection order parameter, the stable rank of its weights."""

from collections.abc import Callable, Iterator
from functools import cached_property

import torch
from torch import Tensor, nn

from tauscope.contracts.points import Point
from tauscope.experiments.image_set import OfImages
from tauscope.experiments.measured import diverged_point, measured_point
from tauscope.probes.attacks import loss_scores, pia_scores, sima_scores
from tauscope.probes.membership import separation
from tauscope.probes.projection import ProjectionProbe
from tauscope.probes.stable_rank import mean_stable_rank
from tauscope.specs.measurement import ProbesSpec
from tauscope.training.seeding import stream

Attack = Callable[[nn.Module, Tensor, Tensor], Tensor]


class ImageProbes(OfImages):
    """Measures the probes that the spec asks for, none where it asks for none.

    Members are the first training images, non-members as many of the first held-out ones as the spec says; the held-out half
    of alpha_ho are the held-out images after those. All noise is drawn once, from streams of its own.
    """

    def points(self, network: nn.Module, step: int) -> list[Point]:
        """Every probe at this step; a network that is no longer finite gives missing points."""
        probes = self.spec.measurement.probes
        if probes is None:
            return []
        return [*self._membership(network, probes, step), self._projected(network, probes, step), _stable_rank(network, step)]

    @cached_property
    def _sides(self) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
        """Members and non-members in model units, each with the noise of the loss attack."""
        probes = self._asked
        found = []
        for name, part in (("train", self.images.train), ("held_out", self.images.held_out)):
            x_0 = self.images.to_model(part[: probes.images])
            generator = stream(self.spec.seed, "probe_noise", name, probes.index, device=part.device)
            found.append((x_0, torch.randn(x_0.shape, generator=generator, device=part.device)))
        return found[0], found[1]

    @cached_property
    def _projection(self) -> ProjectionProbe:
        probes, train, held_out = self._asked, self.images.train, self.images.held_out
        size = min(len(train), len(held_out) - probes.images)
        return ProjectionProbe.held_out(
            self.images.to_model(train[:size]),
            self.images.to_model(held_out[probes.images : probes.images + size]),
            self.diffusion,
            index=probes.index,
            points=probes.points,
            generator=stream(self.spec.seed, "projection_noise", probes.index, device=train.device),
        )

    @property
    def _asked(self) -> ProbesSpec:
        probes = self.spec.measurement.probes
        assert probes is not None
        return probes

    def _attacks(self, probes: ProbesSpec) -> dict[str, tuple[int, Attack]]:
        index, small, diffusion = probes.index, probes.small_index, self.diffusion
        return {
            "loss": (index, lambda network, x_0, eps: loss_scores(network, x_0, eps, diffusion, index=index)),
            "pia": (index, lambda network, x_0, eps: pia_scores(network, x_0, diffusion, index=index)),
            "sima": (small, lambda network, x_0, eps: sima_scores(network, x_0, index=small)),
        }

    def _membership(self, network: nn.Module, probes: ProbesSpec, step: int) -> Iterator[Point]:
        for name, (index, attack) in self._attacks(probes).items():
            members, others = (attack(network, x_0, eps).cpu().numpy() for x_0, eps in self._sides)
            auc, tpr = f"mia_{name}_auc@{index}", f"mia_{name}_tpr@{index}"
            try:
                found = separation(members, others)
            except ValueError:
                yield from (diverged_point(step, metric, len(members)) for metric in (auc, tpr))
                continue
            yield measured_point(step, auc, found.auc, found.members)
            assert found.tpr is not None, "the spec asks for at least 100 non-members"
            yield measured_point(step, tpr, found.tpr, found.members)

    def _projected(self, network: nn.Module, probes: ProbesSpec, step: int) -> Point:
        name, count = f"alpha_ho@{probes.index}", 2 * probes.points
        estimate = self._projection.measure(network)
        return measured_point(step, name, estimate, count) if all(map(_is_finite, estimate)) else diverged_point(step, name, count)


def _stable_rank(network: nn.Module, step: int) -> Point:
    try:
        value, count = mean_stable_rank(network)
    except ValueError:
        return diverged_point(step, "stable_rank", sum(weight.ndim >= 2 for weight in network.parameters()))
    return Point(step=step, metric="stable_rank", value=value, count=count)


def _is_finite(value: float) -> bool:
    return abs(value) < float("inf")
