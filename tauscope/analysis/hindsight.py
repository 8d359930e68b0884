"""What a stopping policy would have saved, and cost: judged on runs that were left to go on."""

import math
from collections.abc import Sequence

from tauscope.analysis.recommendation import recommend
from tauscope.analysis.stopping import checkpoints, verdict
from tauscope.analysis.summary import summarize_points
from tauscope.contracts.hindsight import Difference, Hindsight
from tauscope.contracts.onsets import Onset
from tauscope.contracts.points import Point
from tauscope.contracts.stopping import Verdict
from tauscope.specs import ExperimentSpec
from tauscope.specs.stopping import Stopping


def hindsight(spec: ExperimentSpec, points: Sequence[Point], policy: Stopping, *, run: str, label: str) -> Hindsight:
    """Where a policy would have stopped a run, what that leaves, and what was still to come.

    Args:
        spec: of the run; its own policy does not matter.
        points: all that were measured, also those after the stop.
        policy: the one to judge.
        run, label: the run's id, and its axis values in words.
    """
    asked = spec.model_copy(update={"stopping": policy})
    trained = max((point.step for point in points), default=0)
    onsets = summarize_points(spec, points)[0]
    tau_mem = onsets["tau_mem"]
    found = verdict(asked, points)
    if found is None or found.step >= trained:
        return Hindsight(run=run, label=label, trained=trained, tau_mem=tau_mem, kept=recommend(points, onsets))
    return _stopped(asked, points, found, tau_mem, run=run, label=label, trained=trained)


def _stopped(
    spec: ExperimentSpec, points: Sequence[Point], found: Verdict, tau_mem: Onset, *, run: str, label: str, trained: int
) -> Hindsight:
    known = [point for point in points if point.step <= found.step]
    kept = recommend(known, summarize_points(spec, known)[0])
    later = [item.quality for item in checkpoints(spec, points) if found.step < item.step <= _end(tau_mem)]
    best = min((point for point in later if point is not None and point.value is not None), key=_value, default=None)
    return Hindsight(
        run=run,
        label=label,
        trained=trained,
        stopped_at=found.step,
        reason=found.reason,
        saved=1 - found.step / trained,
        tau_mem=tau_mem,
        in_time=None if tau_mem.low is None else found.step <= tau_mem.low,
        f_mem=next(item.f_mem for item in checkpoints(spec, known) if item.step == found.step),
        kept=kept,
        best_later=best,
        cost=None if best is None or kept.quality is None else _difference(kept.quality, best),
    )


def _end(tau_mem: Onset) -> float:
    """Up to where a later checkpoint could have been kept instead."""
    return 0.0 if tau_mem.low is None else tau_mem.low


def _difference(one: Point, other: Point) -> Difference | None:
    if one.low is None or one.high is None or other.low is None or other.high is None:
        return None
    value = _value(one) - _value(other)
    spread = math.hypot(one.high - one.low, other.high - other.low) / 2
    return Difference(value=value, low=value - spread, high=value + spread)


def _value(point: Point) -> float:
    assert point.value is not None
    return point.value
