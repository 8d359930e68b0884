"""The projection order parameter alpha_ho: how far a network's score has moved towards that of its own training images."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from tauscope.metrics.intervals import ratio_interval
from tauscope.process import Diffusion
from tauscope.samplers import EpsModel
from tauscope.theory.empirical import empirical_score

BLOCK = 512

Points = Float[Tensor, "point channel height width"]


@dataclass(frozen=True)
class ProjectionProbe:
    """Fixed points, and at them the directions that tell a training set from an equally large held-out one.

    With s_train and s_held the empirical scores of both, s_bar their mean and delta = s_train - s_held, at points noised half
    from each: alpha_ho = sum <s_theta - s_bar, delta> / sum |delta|^2. A network that knows neither set gives about 0, one
    that has memorized the first 1/2, one that had memorized the other -1/2. It needs no population score.

    Attributes:
        x_t: the points.
        index: their 0-based diffusion index.
        alpha_bar: alpha_bar there.
        origin: which image each point was noised from; points of one image are not independent.
    """

    x_t: Points
    index: int
    alpha_bar: float
    origin: Int[Tensor, " point"]
    s_bar: Points
    delta: Points

    @classmethod
    def draw(
        cls,
        train: Float[Tensor, "image channel height width"],
        held_out: Float[Tensor, "image channel height width"],
        diffusion: Diffusion,
        *,
        index: int,
        points: int,
        generator: torch.Generator,
    ) -> "ProjectionProbe":
        """Draw ``points`` from each set, the images in turn, each with noise of its own."""
        turn = torch.arange(points, device=train.device) % len(train)
        x_0 = torch.cat([train[turn], held_out[turn]])
        eps = torch.randn(x_0.shape, generator=generator, device=train.device)
        x_t = diffusion.noised(x_0, torch.full((len(x_0),), index, device=train.device), eps)
        alpha_bar = float(diffusion.alpha_bar[index])
        s_train, s_held = (empirical_score(x_t, images, alpha_bar=alpha_bar) for images in (train, held_out))
        return cls(x_t, index, alpha_bar, torch.cat([turn, turn + len(train)]), (s_train + s_held) / 2, s_train - s_held)

    @torch.no_grad()
    def measure(self, eps_model: EpsModel) -> tuple[float, float, float]:
        """alpha_ho with its 95 % jackknife interval over images; (value, low, high)."""
        t = torch.full((len(self.x_t),), self.index, device=self.x_t.device)
        eps_hat = torch.cat([eps_model(*block) for block in zip(self.x_t.split(BLOCK), t.split(BLOCK), strict=True)])
        return self.of_score(-eps_hat.double() / (1 - self.alpha_bar) ** 0.5)

    def of_score(self, s_theta: Points) -> tuple[float, float, float]:
        """alpha_ho of a score at the points."""
        along = ((s_theta - self.s_bar) * self.delta).flatten(1).sum(1)
        squared = self.delta.square().flatten(1).sum(1)
        sums = torch.zeros(2, int(self.origin.max()) + 1, dtype=torch.float64, device=along.device)
        sums.index_add_(1, self.origin, torch.stack([along, squared]))
        numerator, denominator = sums.cpu().numpy()
        return ratio_interval(numerator, denominator)
