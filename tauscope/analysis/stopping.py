"""Whether a run stops before its budget is spent: decided from its points, in the order of their steps.

Only checkpoints count: steps at which samples were drawn. So the step at which a policy says stop has weights to go back to, and what is
decided at a step rests on points up to it, whatever came after. ``settled`` keeps a decision from resting on half of them: the decision
record on policies says how.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from tauscope.contracts.points import Point
from tauscope.contracts.stopping import Verdict
from tauscope.contracts.wording import counted_words, measured_words, percent, share_words
from tauscope.specs import ExperimentSpec
from tauscope.specs.stopping import BudgetPolicy, CopyingPolicy, WindowPolicy


@dataclass(frozen=True)
class Checkpoint:
    """What a policy looks at, at a step where samples were drawn; ``None`` where it was not measured."""

    step: int
    f_mem: Point
    control: Point | None
    quality: Point | None
    gap: Point | None

    @property
    def excess(self) -> float | None:
        """Share of copies that is certain: the lower end of f_mem minus the upper end of its control."""
        if self.control is None or self.f_mem.low is None or self.control.high is None:
            return None
        return self.f_mem.low - self.control.high


def verdict(spec: ExperimentSpec, points: Sequence[Point], *, settled: int | None = None) -> Verdict | None:
    """The first checkpoint at which the spec's policy says stop, with the numbers; ``None`` while it does not.

    Args:
        points: of any metrics, in any order.
        settled: the last step up to which all that is due has been measured and will not be measured again; later ones are not looked at.
    """
    policy = spec.stopping
    if isinstance(policy, BudgetPolicy):
        return None
    found = [item for item in checkpoints(spec, points) if settled is None or item.step <= settled]
    told = _copying(policy, found) if isinstance(policy, CopyingPolicy) else _window(policy, found, gap_metric(spec))
    if told is None:
        return None
    place, why = told
    step = found[place].step
    return Verdict(policy=policy.name, step=step, reason=f"stopped by its policy at {step:,}: {why}")


def stops(spec: ExperimentSpec, found: Verdict | None) -> bool:
    """Whether a verdict ends the run: at its last step there is nothing left to stop."""
    return found is not None and found.step < spec.steps


def checkpoints(spec: ExperimentSpec, points: Sequence[Point]) -> list[Checkpoint]:
    """The checkpoints among the points, by step."""
    names = {"f_mem", "f_mem_control", spec.onsets.tau_gen.metric, gap_metric(spec)}
    by_name: dict[str, dict[int, Point]] = {name: {} for name in names}
    for point in points:
        if point.metric in by_name:
            by_name[point.metric][point.step] = point
    control, quality, gap = (by_name[name] for name in ("f_mem_control", spec.onsets.tau_gen.metric, gap_metric(spec)))
    f_mem = sorted(by_name["f_mem"].items())
    return [Checkpoint(step, point, control.get(step), quality.get(step), gap.get(step)) for step, point in f_mem]


def gap_metric(spec: ExperimentSpec) -> str:
    """The loss gap that warns: at the policy's own index, or at the highest that is measured."""
    chosen = spec.stopping.gap_index if isinstance(spec.stopping, WindowPolicy) else None
    return spec.gap_metrics[-1] if chosen is None else f"loss_gap@{chosen}"


def warnings_at(item: Checkpoint, policy: WindowPolicy, *, metric: str) -> dict[str, str]:
    """What at a checkpoint says that copying comes or has come, by its code: words with numbers; empty if nothing does."""
    told = {}
    if item.gap is not None and item.gap.low is not None and item.gap.low > policy.gap:
        told["loss_gap"] = f"relative loss gap{_where(metric)} {share_words(item.gap)}, above {percent(policy.gap)}"
    if item.excess is not None and item.excess > policy.copies:
        told["copies"] = _copies(item)
    return told


def warnings(spec: ExperimentSpec, points: Sequence[Point]) -> tuple[str, ...]:
    """What the last checkpoint warns of, by the window policy's levels, whether or not the run has that policy."""
    found = checkpoints(spec, points)
    told = warnings_at(found[-1], _levels(spec), metric=gap_metric(spec)) if found else {}
    return tuple(f"at {found[-1].step:,}: {words}" for words in told.values())


def confirmed_warnings(spec: ExperimentSpec, points: Sequence[Point], *, settled: int) -> dict[str, str]:
    """What the last settled checkpoints warn of, as many in a row as the window policy asks for, by its code."""
    policy = _levels(spec)
    found = [item for item in checkpoints(spec, points) if item.step <= settled][-policy.confirmations :]
    told = [warnings_at(item, policy, metric=gap_metric(spec)) for item in found]
    if len(told) < policy.confirmations:
        return {}
    return {code: f"at {found[-1].step:,}: {words}" for code, words in told[-1].items() if all(code in earlier for earlier in told)}


def _levels(spec: ExperimentSpec) -> WindowPolicy:
    return spec.stopping if isinstance(spec.stopping, WindowPolicy) else WindowPolicy()


def _copying(policy: CopyingPolicy, found: Sequence[Checkpoint]) -> tuple[int, str] | None:
    place = _first_in_a_row([item.excess is not None and item.excess > policy.level for item in found], policy.confirmations)
    if place is None:
        return None
    row = f"{policy.confirmations} checkpoints in a row" if policy.confirmations > 1 else "1 checkpoint"
    return place, f"{_copies(found[place])}; beyond the control by more than {percent(policy.level)} at 95 % at {row}"


def _window(policy: WindowPolicy, found: Sequence[Checkpoint], metric: str) -> tuple[int, str] | None:
    told = [warnings_at(item, policy, metric=metric) for item in found]
    best = list(accumulate((item.quality for item in found), _better))
    for place in range(policy.patience, len(found)):
        reference, later = best[place - policy.patience], found[place + 1 - policy.patience : place + 1]
        recent = told[max(0, place + 1 - policy.confirmations) : place + 1]
        warned = all(recent) and len(recent) == policy.confirmations
        if warned and reference is not None and all(_no_better(item, reference) for item in later):
            return place, f"{_flat_words(found[place], reference, policy.patience)}; warning: {'; '.join(told[place].values())}"
    return None


def _where(metric: str) -> str:
    _, at, index = metric.partition("@")
    return f" at index {index}" if at else ""


def _first_in_a_row(says: Sequence[bool], length: int) -> int | None:
    """Where as many in a row say so for the first time."""
    row = 0
    for place, said in enumerate(says):
        row = row + 1 if said else 0
        if row == length:
            return place
    return None


def _better(best: Point | None, quality: Point | None) -> Point | None:
    if quality is None or quality.value is None:
        return best
    return quality if best is None or best.value is None or quality.value < best.value else best


def _no_better(item: Checkpoint, reference: Point) -> bool:
    """Whether quality, lower being better, cannot be told to lie below the reference; not measured is not known."""
    quality = item.quality
    if quality is None or quality.value is None or reference.value is None:
        return False
    high, low = (quality.value if quality.high is None else quality.high), (reference.value if reference.low is None else reference.low)
    return high >= low


def _flat_words(item: Checkpoint, reference: Point, patience: int) -> str:
    assert item.quality is not None
    row = f"{patience} checkpoints in a row" if patience > 1 else "1 checkpoint"
    best = f"{measured_words(reference)} at {reference.step:,}"
    return f"quality is flat: {item.quality.metric} {measured_words(item.quality)}, and at {row} no better at 95 % than {best}"


def _copies(item: Checkpoint) -> str:
    assert item.control is not None
    return f"f_mem {counted_words(item.f_mem)}, control {counted_words(item.control)}"
