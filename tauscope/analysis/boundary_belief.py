"""What is known of one boundary of the phase diagram: at each width W, the probability that it lies in each gap between neighbouring n.

A hidden Markov chain over the widths (Rabiner 1989, Proc. IEEE 77, 257), solved exactly by the forward-backward algorithm. Its state
at a width is the gap that holds the boundary, its transitions are a random walk in log n from one width to the next, and each run
that was told apart is an observation: beyond the boundary or before it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import scipy
from jaxtyping import Float
from numpy import ndarray

KNOWN = 0.95  # Of the belief in a single gap: the boundary is known to the grid.
SPREAD = 0.1  # Of log n at which runs that differ by their seed alone change state; tau_mem of such runs differs by about 8 %.
MISTAKEN = 0.005  # Of runs far from the boundary, told apart wrongly.
_RISE = 2.0  # d log n* / d log W where n* is in proportion to p; the walk from width to width has this scale, in either direction.


class Answer(NamedTuple):
    """A run that was told apart: whether it lies beyond the boundary, and the chance that this is wrong however far away it is."""

    n: int
    width: int
    beyond: bool
    doubt: float = MISTAKEN


@dataclass(frozen=True)
class Belief:
    """The boundary at each width; ``gap[w, k]`` is the probability that just ``k`` of the grid's n lie before it.

    Attributes:
        n: the grid, increasing.
        widths: increasing.
    """

    n: tuple[int, ...]
    widths: tuple[int, ...]
    gap: Float[ndarray, "width gap"]

    @classmethod
    def given(cls, n: Sequence[int], widths: Sequence[int], answers: Sequence[Answer]) -> "Belief":
        """The belief after these answers; before any of them, every gap is as likely."""
        n, widths = tuple(sorted(n)), tuple(sorted(widths))
        seen = np.ones((len(widths), len(n) + 1))
        for answer in answers:
            seen[widths.index(answer.width)] *= _likelihood(n, answer)
        walks = [_walk(n, upper / lower) for lower, upper in pairwise(widths)]
        return cls(n, widths, _smoothed(seen, walks))

    def beyond(self, n: int, width: int) -> float:
        """The probability that a run of this cell turns out beyond the boundary."""
        return float(self.gap[self.widths.index(width)] @ _beyond(self.n, n))

    def fall(self, answer: Answer) -> float:
        """By how many bits the entropy of the boundary at its width falls with this answer; negative for one that confuses."""
        before = self.gap[self.widths.index(answer.width)]
        return _entropy(before) - _entropy(_normal(before * _likelihood(self.n, answer)))

    def known(self, width: int) -> bool:
        """Whether one gap holds nearly all of the belief."""
        return bool(self.gap[self.widths.index(width)].max() >= KNOWN)

    def between(self, width: int) -> tuple[int | None, int | None]:
        """The n between which the boundary lies at 95 %, 2.5 % to either side; ``None`` for an end beyond the grid."""
        below = np.cumsum(self.gap[self.widths.index(width)])
        first, last = int(np.searchsorted(below, 0.025)), int(np.searchsorted(below, 0.975))
        return self.n[first - 1] if first > 0 else None, self.n[last] if last < len(self.n) else None

    def mean_log_n(self, width: int) -> float:
        """The expected log n of the boundary."""
        return float(self.gap[self.widths.index(width)] @ _places(self.n))


def _places(n: Sequence[int]) -> Float[ndarray, " gap"]:
    """The middle of each gap in log n; the open ones reach half a neighbouring gap beyond the grid."""
    logs = np.log(n)
    steps = np.diff(logs) if len(n) > 1 else np.ones(1)
    return np.concatenate([[logs[0] - steps[0] / 2], logs[:-1] + steps[: len(n) - 1] / 2, [logs[-1] + steps[-1] / 2]])


def _likelihood(n: Sequence[int], answer: Answer) -> Float[ndarray, " gap"]:
    """The probability of an answer where the boundary lies in the middle of each gap."""
    beyond = _beyond(n, answer.n, answer.doubt)
    return beyond if answer.beyond else 1 - beyond


def _beyond(n: Sequence[int], at: int, doubt: float = MISTAKEN) -> Float[ndarray, " gap"]:
    right = scipy.special.ndtr((np.log(at) - _places(n)) / SPREAD)
    return doubt + (1 - 2 * doubt) * right


def _walk(n: Sequence[int], ratio: float) -> Float[ndarray, "gap gap"]:
    """Transition probabilities between widths of this ratio."""
    places = _places(n)
    weight = np.exp(-np.abs(places[:, None] - places[None, :]) / (_RISE * np.log(ratio)))
    return weight / weight.sum(1, keepdims=True)


def _smoothed(seen: Float[ndarray, "width gap"], walks: Sequence[Float[ndarray, "gap gap"]]) -> Float[ndarray, "width gap"]:
    forward, backward = [seen[0]], [np.ones(seen.shape[1])]
    for here, walk in zip(seen[1:], walks, strict=True):
        forward.append(_normal(forward[-1] @ walk) * here)
    for after, walk in zip(seen[:0:-1], walks[::-1], strict=True):
        backward.append(_normal(walk @ (after * backward[-1])))
    return np.array([_normal(a * b) for a, b in zip(forward, backward[::-1], strict=True)])


def _normal(weight: Float[ndarray, " gap"]) -> Float[ndarray, " gap"]:
    return weight / weight.sum()


def _entropy(weight: Float[ndarray, " gap"]) -> float:
    """In bits; no weight is 0 here."""
    return float(-(weight * np.log2(weight)).sum())
