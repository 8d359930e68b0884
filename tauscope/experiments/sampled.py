"""What every denoiser does with the samples of a step: draws them, and as many with every further average of its weights."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor, nn

from tauscope.contracts.points import Point
from tauscope.experiments.sampling import Sampling
from tauscope.metrics.memorization import Memorization


class Copying(Protocol):
    """How far samples copy the training points of a run."""

    def found(self, drawn: Tensor, /) -> Memorization:
        """The nearest distinct training points of each sample."""
        ...

    def share(self, found: Memorization, step: int, suffix: str = "") -> Point:
        """f_mem alone, under a name with a suffix."""
        ...

    def diverged(self, step: int, count: int, suffix: str = "") -> list[Point]:
        """The points of samples that are no numbers."""
        ...


class SampledMeasurement(ABC):
    """Measures samples drawn from the same seeds at every step."""

    sampling: Sampling
    copying: Copying

    def generate(self, network: Callable[..., Tensor], go_on: Callable[[float], bool] = lambda share: True) -> Tensor:
        """The samples of the spec's seed, in the units in which they are measured; see ``samples`` for ``go_on``."""
        return self.sampling.draw(network, go_on)

    @abstractmethod
    def of_drawn(self, drawn: Tensor, step: int, path: Path, go_on: Callable[[float], bool]) -> list[Point]:
        """Write what is kept of the samples of a step, and measure them; ``go_on`` may be asked again, with 1."""

    @torch.no_grad()
    def samples(
        self, network: nn.Module, step: int, path: Path, further: Mapping[str, nn.Module], *, go_on: Callable[[float], bool]
    ) -> list[Point]:
        """Draw samples from the same seeds as at every other step, write them with their neighbours, and measure them.

        As many are drawn with every further average, for its f_mem alone. ``go_on`` is told the share that is drawn, between any
        two evaluations of a network; and 1 between any two of a feature network.

        Raises:
            SamplingBrokenOffError: when ``go_on`` says no.
        """
        sets = 1 + len(further)
        points = self.of_drawn(self.generate(network, lambda share: go_on(share / sets)), step, path, go_on)
        for place, (name, average) in enumerate(further.items(), start=1):
            drawn = self.generate(average, lambda share, place=place: go_on((place + share) / sets))  # type: ignore[misc]
            finite = bool(torch.isfinite(drawn).all())
            points += (
                [self.copying.share(self.copying.found(drawn), step, name)] if finite else self.copying.diverged(step, len(drawn), name)
            )
        return points
