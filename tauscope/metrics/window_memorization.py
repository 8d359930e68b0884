"""f_mem of windows of a series: the two nearest training windows that share no step of time, Euclidean or warped.

Windows that overlap are near-duplicates of one another. If the second-nearest could overlap the nearest, a copy would hide behind
its window's own neighbour in time, as it would behind a duplicated image. So the second is the nearest of those apart from the first.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from tauscope.metrics.distinct_rows import first_of_equals
from tauscope.metrics.dtw import fill_dtw, lower_bound
from tauscope.metrics.memorization import Memorization
from tauscope.specs.measurement import GAP_THRESHOLD

_ELEMENTS = 2**22
FIRST_EVALUATED = 8


class TrainingWindows:
    """Training windows made ready for many searches.

    Args:
        values: the windows, in standard units.
        starts: the step of the series at which each begins.

    Raises:
        ValueError: if some window has no other that differs from it and shares no step with it.
    """

    def __init__(self, values: Float[Tensor, "n_train channel time"], starts: Int[Tensor, " n_train"]) -> None:
        first = first_of_equals(values.flatten(1))
        self._index, self._values = first, values[first].double()
        distance = (starts[first, None] - starts[None, first]).abs()
        self._apart: Bool[Tensor, "distinct distinct"] = distance >= values.shape[2]
        if not bool(self._apart.any(1).all()):
            raise ValueError("a training window overlaps all others that differ from it; take more windows, or a larger stride")

    def euclidean(self, windows: Float[Tensor, "window channel time"], *, threshold: float = GAP_THRESHOLD) -> Memorization:
        """The gap ratio of each window by Euclidean distance.

        Raises:
            ValueError: if a window is not finite.
        """
        return self._memorization(self._distances(windows), threshold)

    def warped(
        self, windows: Float[Tensor, "window channel time"], *, radius: int, threshold: float = GAP_THRESHOLD
    ) -> tuple[Memorization, float]:
        """The same by `banded_dtw`, and the share of pairs whose distance had to be computed.

        Pairs are left out only if their lower bound exceeds the distance to the second window found; so the result is that of
        all pairs.

        Raises:
            ValueError: if a window is not finite.
        """
        x = _finite(windows)
        bound = lower_bound(x, self._values, radius=radius)
        distance = torch.full_like(bound, torch.inf)
        near = bound.argsort(1)[:, :FIRST_EVALUATED]
        wanted = torch.zeros_like(bound, dtype=torch.bool).scatter_(1, near, True)
        known = wanted.clone()
        while bool(wanted.any()):
            fill_dtw(distance, wanted, x, self._values, radius=radius)
            _, _, second = self._two(distance)
            wanted = (bound <= second[:, None]) & ~known
            known |= wanted
        return self._memorization(distance, threshold), float(known.double().mean())

    def _distances(self, windows: Tensor) -> Float[Tensor, "window distinct"]:
        """By direct difference: the expansion of a square loses its digits exactly where windows are copies."""
        x = _finite(windows).flatten(1)
        y = self._values.flatten(1)
        return torch.cat([torch.cdist(part, y, compute_mode="donot_use_mm_for_euclid_dist") for part in x.split(_ELEMENTS // len(y) + 1)])

    def _two(self, distance: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The nearest, the nearest apart from it, and the distance of the latter (infinite if none is known yet)."""
        first = distance.argmin(1)
        others = distance.masked_fill(~self._apart[first], torch.inf)
        second = others.argmin(1)
        return first, second, others.gather(1, second[:, None])[:, 0]

    def _memorization(self, distance: Tensor, threshold: float) -> Memorization:
        first, second, d2 = self._two(distance)
        d1 = distance.gather(1, first[:, None])[:, 0]
        neighbours = torch.stack([self._index[first], self._index[second]], dim=1)
        return Memorization(d1 / d2, neighbours, torch.stack([d1, d2], dim=1), threshold)


def _finite(windows: Tensor) -> Tensor:
    if not bool(torch.isfinite(windows).all()):
        raise ValueError("a window holds a number that is not finite; drop it and say so before searching")
    return windows.double()
