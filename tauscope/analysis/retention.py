"""Which checkpoints of a run are worth their space, and why."""

from collections.abc import Collection, Mapping, Sequence

from tauscope.analysis.recommendation import recommend
from tauscope.contracts.onsets import Onset, OnsetStatus
from tauscope.contracts.points import Point

RESUME = 2  # The newest, and one to fall back to should it be damaged.


def reasons_to_keep(
    checkpoints: Collection[int],
    points: Sequence[Point],
    onsets: Mapping[str, Onset],
    *,
    pinned: Collection[int] = (),
    awaited: Collection[int] = (),
    resume_from: int | None = None,
    over: bool = True,
) -> dict[int, tuple[str, ...]]:
    """For each checkpoint, by step, why it is kept; nothing where it can go.

    Args:
        awaited: steps whose evaluation is still to come.
        resume_from: the step that a resume starts from; by default the last.
        over: whether the run has ended. Until then an onset may still turn out to lie anywhere after what rules it out.
    """
    reasons: dict[int, list[str]] = {step: [] for step in sorted(checkpoints)}

    def keep(steps: Collection[int], reason: str) -> None:
        for step in reasons.keys() & set(steps):
            reasons[step].append(reason)

    start = max(reasons, default=0) if resume_from is None else resume_from
    keep([step for step in reasons if step <= start][-RESUME:] + [step for step in reasons if step > start], "resume")
    recommended = recommend(points, onsets).step
    keep([] if recommended is None else [recommended], "recommended")
    keep(pinned, "pinned")
    keep(awaited, "awaits its evaluation")
    for name in ("tau_gen", "tau_mem"):
        onset = onsets.get(name)
        if onset is not None:
            measured = _steps_of(points, onset.metric)
            keep(_around(onset, [step for step in reasons if step in measured]), f"around {name}")
        if not over:
            keep(_undecided(onset, list(reasons)), f"{name} may still lie here")
    return {step: tuple(why) for step, why in reasons.items()}


def _around(onset: Onset, measured: Sequence[int]) -> list[int]:
    """The measured checkpoints that enclose an onset's interval."""
    if onset.status is OnsetStatus.UNDEFINED:
        return []
    before = [step for step in measured if onset.low is not None and step <= onset.low]
    after = [step for step in measured if onset.high is not None and step >= onset.high]
    return before[-1:] + after[:1]


def _undecided(onset: Onset | None, steps: Sequence[int]) -> list[int]:
    if onset is None or onset.status is OnsetStatus.UNDEFINED:
        return list(steps)
    return [step for step in steps if step >= (onset.low or 0.0)] if onset.status is OnsetStatus.CENSORED else []


def _steps_of(points: Sequence[Point], metric: str) -> set[int]:
    return {point.step for point in points if point.metric == metric and point.value is not None}
