"""Which saved checkpoint of an adaptive schedule is sampled next, so that the intervals of the onsets narrow.

The answer follows from the points alone, and each answer's points lead to the next: whoever asks, in whatever order parts of a run were
killed and repeated, the same steps are sampled in the end.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf, log

from tauscope.analysis.summary import summarize_points
from tauscope.contracts.onsets import Onset, OnsetStatus
from tauscope.contracts.points import Point
from tauscope.specs import ExperimentSpec

DRAWN = "f_mem"  # Every draw of samples gives it, if only as missing with the reason.


@dataclass(frozen=True)
class Refinement:
    """A checkpoint to sample, and what for.

    Attributes:
        step: of the checkpoint.
        name: of the onset whose interval it divides, with its ends.
        taken: how many further checkpoints were sampled before it, of at most ``budget``.
    """

    step: int
    name: str
    low: float
    high: float | None
    taken: int
    budget: int

    @property
    def words(self) -> str:
        return (
            f"refines {interval_words(self.name, self.low, self.high)}: draws the samples of step {self.step:,},"
            f" {self.taken + 1} of at most {self.budget} further checkpoints"
        )


def next_refinement(spec: ExperimentSpec, points: Sequence[Point]) -> Refinement | None:
    """The checkpoint to sample next, once training is over and all that was due while it went on has been sampled.

    Of the onsets that were reached and whose interval is wider than the target, the widest comes first (by the ratio of its ends).
    Of the cells between measured steps within that interval, the widest that holds a saved step is divided, at the one nearest to
    its middle in log tau.

    Returns:
        ``None`` once every interval is within the target, no saved step is left within one that is not, or the budget is spent.
    """
    schedule = spec.adaptive_schedule
    if schedule is None:
        return None
    drawn = _steps_of(points, DRAWN)
    further = schedule.further(spec.steps)
    taken = len(drawn & further)
    if taken >= schedule.budget:
        return None
    for name, onset in _too_wide(summarize_points(spec, points)[0], schedule.target):
        measured = _steps_of(points, onset.metric)
        step = _dividing(onset, sorted(measured), further - drawn - measured)
        if step is not None:
            return Refinement(step, name, onset.low or 0.0, onset.high, taken, schedule.budget)
    return None


def refined_words(spec: ExperimentSpec, points: Sequence[Point]) -> str:
    """What refining has come to, where ``next_refinement`` has nothing more to ask for."""
    schedule = spec.adaptive_schedule
    assert schedule is not None
    onsets = summarize_points(spec, points)[0]
    taken = len(_steps_of(points, DRAWN) & schedule.further(spec.steps))
    known = [interval_words(name, onset.low or 0.0, onset.high) for name, onset in onsets.items() if onset.status is OnsetStatus.REACHED]
    wide = [name for name, _ in _too_wide(onsets, schedule.target)]
    end = "the budget is spent" if taken >= schedule.budget else "no saved checkpoint is left inside"
    why = f"; {wide[0]} is wider than the target of {schedule.target:g}: {end}" if wide else ""
    told = f"{taken} further checkpoint{'s' * (taken != 1)} of at most {schedule.budget} sampled"
    return f"{told}; {', '.join(known) or 'no onset was reached'}{why}"


def interval_words(name: str, low: float, high: float | None) -> str:
    """An onset's interval with the ratio of its ends."""
    if high is None:
        return f"{name} (after {low:,.0f})"
    return f"{name} (by {high:,.0f})" if low <= 0 else f"{name} ({low:,.0f} to {high:,.0f}, a factor of {high / low:.2f})"


def _too_wide(onsets: Mapping[str, Onset], target: float) -> Iterator[tuple[str, Onset]]:
    """The reached onsets whose interval is wider than the target, the widest first; of equal ones the first by name."""
    ranked = sorted(((-_ratio(onset), name) for name, onset in onsets.items() if onset.status is OnsetStatus.REACHED))
    return ((name, onsets[name]) for ratio, name in ranked if -ratio > target)


def _ratio(onset: Onset) -> float:
    return onset.high / onset.low if onset.low and onset.high is not None else inf


def _dividing(onset: Onset, measured: Sequence[int], free: Collection[int]) -> int | None:
    """The free step that divides the widest dividable cell within the interval; of equally wide cells the earliest."""
    low, high = onset.low or 0.0, inf if onset.high is None else onset.high
    cells = [(before, after) for before, after in pairwise(measured) if low <= before and after <= high]
    inside = [(before, after, [step for step in free if before < step < after]) for before, after in cells]
    dividable = [cell for cell in inside if cell[2]]
    if not dividable:
        return None
    before, after, steps = max(dividable, key=lambda cell: (cell[1] / cell[0], -cell[0]))
    middle = (log(before) + log(after)) / 2
    return min(steps, key=lambda step: (abs(log(step) - middle), step))


def _steps_of(points: Sequence[Point], metric: str) -> set[int]:
    return {point.step for point in points if point.metric == metric}
