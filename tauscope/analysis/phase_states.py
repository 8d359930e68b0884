"""The state of one run of the phase diagram, by its points: memorizes, window, censored, plateau, or why it has none."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from tauscope.analysis.phase_prediction import Prediction
from tauscope.analysis.stopping import Checkpoint, checkpoints
from tauscope.contracts.onsets import Onset, OnsetStatus
from tauscope.contracts.phase import CellState
from tauscope.contracts.points import Point
from tauscope.contracts.summary import RunSummary
from tauscope.contracts.wording import counted_words, measured_words, number, percent, share_words
from tauscope.specs import ExperimentSpec

MOST_COPIED = 0.01
MOST_GAP = 0.05
TIMES_PREDICTED = 10
COPIES = (CellState.MEMORIZES, CellState.WINDOW)
_BEGUN = (OnsetStatus.REACHED, OnsetStatus.BEFORE_FIRST)
_ENOUGH_SAMPLES = 368  # No copy among so many has an upper end of 1 %.


@dataclass(frozen=True)
class MeasuredRun:
    """A run with what was asked of it and what it measured."""

    summary: RunSummary
    spec: ExperimentSpec
    points: Sequence[Point]

    @cached_property
    def checkpoints(self) -> list[Checkpoint]:
        """By step; those whose samples diverged have no share."""
        return checkpoints(self.spec, self.points)

    @property
    def steps(self) -> int:
        """The last step at which f_mem has a value; 0 where it has none."""
        return max((item.step for item in self.checkpoints if item.f_mem.value is not None), default=0)

    @cached_property
    def rise(self) -> str:
        """The first sign that it is not flat; empty where every upper 95 % end lies below its level."""
        return _copies_too_many(self.checkpoints) or _gap_too_wide(self.spec, self.points)

    @property
    def flat(self) -> bool:
        """Whether nothing that was measured leaves room for copying or a loss gap."""
        return not self.rise


def metrics_read(spec: ExperimentSpec) -> set[str]:
    """The metrics that a state is read off."""
    return {"f_mem", "f_mem_control", spec.onsets.tau_gen.metric, *spec.gap_metrics}


class RunState(NamedTuple):
    """A run's state and the numbers that it rests on; ``settled`` unless the intervals leave another state possible."""

    state: CellState
    reason: str
    settled: bool = True


def state_of(run: MeasuredRun, prediction: Prediction) -> RunState:
    """The state of a run.

    Args:
        prediction: of its cell, from the other cells; only a plateau asks for it.
    """
    unknown = _undefined(run)
    if unknown:
        return RunState(CellState.UNDEFINED, unknown, settled=False)
    gen, mem = run.summary.onsets["tau_gen"], run.summary.onsets["tau_mem"]
    if mem.status in _BEGUN or (_copying(run) and gen.status in _BEGUN):
        return _copies(run, gen, mem)
    lacks = _no_plateau(run, gen, prediction)
    if lacks:
        return RunState(CellState.CENSORED, f"{_not_copying(run, mem)}; {_onset_words('tau_gen', gen)}; no plateau: {lacks}")
    return RunState(CellState.PLATEAU, _plateau_words(run, gen, prediction))


def good_before_copying(gen: Onset | None, mem: Onset | None) -> bool:
    """Whether quality arrived clearly before copying, which may not have come yet: the window as the recommended checkpoint has it."""
    if gen is None or mem is None or gen.status not in _BEGUN:
        return False
    return gen.high is not None and mem.low is not None and gen.high <= mem.low


def _undefined(run: MeasuredRun) -> str:
    """Why there is nothing to judge."""
    if run.summary.state == "failed":
        return f"failed{f': {run.summary.reason}' if run.summary.reason else ''}"
    for name in ("tau_gen", "tau_mem"):
        onset = run.summary.onsets.get(name)
        if onset is None or onset.status is OnsetStatus.UNDEFINED:
            return f"{name} is not known: {onset.reason if onset and onset.reason else 'nothing was measured yet'}"
    diverged = next((item for item in run.checkpoints if item.f_mem.value is None), None)
    if diverged and run.summary.onsets["tau_mem"].status not in _BEGUN:
        return f"{diverged.f_mem.reason or 'no number'} at {diverged.step:,}, before copying was seen"
    return "" if run.steps else "f_mem was not measured yet"


def _copying(run: MeasuredRun) -> bool:
    """Whether copying is certain at the last two checkpoints, though below the level of tau_mem."""
    last = [item.excess for item in run.checkpoints[-2:]]
    return len(last) == 2 and all(excess is not None and excess > 0 for excess in last)


def _copies(run: MeasuredRun, gen: Onset, mem: Onset) -> RunState:
    good, copied = _onset_words("tau_gen", gen), _onset_words("tau_mem", mem)
    if mem.status not in _BEGUN:
        copied = f"{copied}, though copying is certain at the last two checkpoints: {_share(run.checkpoints[-1])}"
    if good_before_copying(gen, mem):
        first, last = number(gen.high or 0), number(mem.low or 0)
        window = f"a window from {first} to {last}" if first != last else f"a window of one checkpoint, {first}"
        return RunState(CellState.WINDOW, f"{good}, then {copied}: {window}")
    if mem.status not in _BEGUN:
        return RunState(CellState.CENSORED, f"{copied}; {good}, which is not clearly before it", settled=False)
    after = mem.high is not None and (gen.low or 0.0) >= mem.high
    between = "not before" if after else "not clearly before"
    return RunState(CellState.MEMORIZES, f"{good}, {between} {copied}", settled=after)


def _no_plateau(run: MeasuredRun, gen: Onset, prediction: Prediction) -> str:
    """The first thing that a plateau lacks."""
    if run.rise:
        return run.rise
    if gen.status not in _BEGUN:
        return "quality was not reached, and a model that learns nothing is flat as well"
    last = run.checkpoints[-1].quality
    if last is None or last.value is None or last.value > gen.level:
        return f"quality was lost again, {gen.metric} {measured_words(last) if last else 'not measured'} at {run.steps:,}"
    if prediction.interval is None:
        return prediction.words
    needed = TIMES_PREDICTED * prediction.interval.high
    if run.steps < needed:
        return (
            f"flat by {run.steps:,} of the {number(needed)} steps that {TIMES_PREDICTED} times the upper end asks for, {prediction.words}"
        )
    return ""


def _copies_too_many(found: Sequence[Checkpoint]) -> str:
    for item in found:
        bound = _upper_excess(item)
        if bound is None:
            return f"f_mem or its control has no interval at {item.step:,}"
        if bound >= MOST_COPIED:
            few = f"; with no copy at least {_ENOUGH_SAMPLES} samples are needed" if item.f_mem.value == 0 else ""
            return f"f_mem minus control may be {percent(bound)} at {item.step:,} ({_share(item)}){few}"
    return ""


def _upper_excess(item: Checkpoint) -> float | None:
    """Upper end of f_mem minus control: the upper end of one less the lower end of the other, never too small."""
    if item.f_mem.high is None or item.control is None or item.control.low is None:
        return None
    return item.f_mem.high - item.control.low


def _gap_too_wide(spec: ExperimentSpec, points: Sequence[Point]) -> str:
    """At every measured index: a gap may open at little noise alone."""
    for index in spec.loss_indices:
        found = sorted((point for point in points if point.metric == f"loss_gap@{index}"), key=lambda point: point.step)
        if not found:
            return f"the loss gap at index {index} was not measured"
        wide = next((point for point in found if point.high is None or point.high >= MOST_GAP), None)
        if wide is not None:
            return f"the relative loss gap at index {index} is {share_words(wide)} at {wide.step:,}, not under {percent(MOST_GAP)}"
    return ""


def _not_copying(run: MeasuredRun, mem: Onset) -> str:
    last = next(item for item in reversed(run.checkpoints) if item.f_mem.value is not None)
    return f"copying not at {percent(mem.level)} by {run.steps:,} ({_share(last)})"


def _plateau_words(run: MeasuredRun, gen: Onset, prediction: Prediction) -> str:
    assert prediction.interval is not None
    copied = max(bound for item in run.checkpoints if (bound := _upper_excess(item)) is not None)
    gaps = [point.high for point in run.points if point.metric.startswith("loss_gap@") and point.high is not None]
    return (
        f"flat by {run.steps:,}, {number(run.steps / prediction.interval.high)} times the upper end of the {prediction.words}: "
        f"f_mem minus control under {percent(copied)} and the loss gap under {percent(max(gaps))} "
        f"(upper 95 % ends, {len(run.checkpoints)} checkpoints); {_onset_words('tau_gen', gen)}"
    )


def _share(item: Checkpoint) -> str:
    control = counted_words(item.control) if item.control else "not measured"
    return f"f_mem {counted_words(item.f_mem)}, control {control}"


def _onset_words(name: str, onset: Onset) -> str:
    """``tau_mem 557 (420 to 700)``, ``tau_gen: quality never reached by 250``."""
    if onset.value is None:
        return f"{name}: {onset.reason or onset.status}"
    upper = "unbounded" if onset.high is None else number(onset.high)
    return f"{name} {number(onset.value)} ({number(onset.low or 0)} to {upper})"
