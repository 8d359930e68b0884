"""Early warnings: the level of a probe is chosen from past runs of a data set, and judged on runs it was not chosen from.

A warning is the first sustained crossing of the level. A false alarm is a warning that was not followed by copying within
``MOST_EARLY`` times its own time; the level is the most sensitive one at which, and at every stricter one, at most
``MOST_FALSE`` of the runs have one. Runs that differ by seed alone are alike, so a level is judged by leaving out all runs
of a configuration at once. That is the only number shown: how the level does on the runs it was fitted to says nothing.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

from tauscope.analysis.onsets import Curve, warning_onset
from tauscope.contracts.onsets import Onset, OnsetStatus
from tauscope.contracts.warnings import FalseAlarms, Lead, Outcome, ProbeCalibration, RunWarning
from tauscope.metrics.intervals import clopper_pearson, median_interval

MIN_RUNS = 6  # The fewest of which a median has a 95 % interval.
MIN_CONFIGURATIONS = 2
MOST_FALSE = 0.10
MOST_EARLY = 3.0

_SHARES = np.round(np.arange(0.01, 1.0, 0.01), 2)
_RANKS = np.round(np.geomspace(1.0, 1000.0, 600), 3)  # 1.2 % apart
_NO_LEVEL = f"no level warned in time with at most {MOST_FALSE:.0%} false alarms"


def is_falling(metric: str) -> bool:
    """Whether a probe warns by falling."""
    return metric == "stable_rank"


@dataclass(frozen=True)
class PastRun:
    """A finished run.

    Attributes:
        configuration: the same text for runs that differ by seed alone.
        curves: probe to its curve.
        tau_mem: reached or censored.
        last_step: until when copying was looked for.
    """

    configuration: str
    curves: Mapping[str, Curve]
    tau_mem: Onset
    last_step: float


@dataclass(frozen=True, eq=False)
class Pool:
    """The finished runs of one data set (and one definition of tau_mem) that one probe was measured in."""

    dataset: str
    size: int
    tau_mem_level: float
    metric: str
    runs: tuple[PastRun, ...]

    @cached_property
    def configurations(self) -> tuple[str, ...]:
        """Each once, in order."""
        return tuple(dict.fromkeys(run.configuration for run in self.runs))

    @cached_property
    def lacking(self) -> str:
        """Why nothing can be calibrated, or nothing."""
        if len(self.runs) < MIN_RUNS:
            return f"not calibrated: {len(self.runs)} of the {MIN_RUNS} finished runs it takes"
        if len(self.configurations) < MIN_CONFIGURATIONS:
            return f"not calibrated: {len(self.configurations)} of {MIN_CONFIGURATIONS} configurations, leaving one out leaves none"
        return ""

    def others(self, configuration: str) -> Bool[ndarray, " run"]:
        """Which runs are not of this configuration."""
        return np.array([run.configuration != configuration for run in self.runs], dtype=bool)

    @cached_property
    def everyones(self) -> int | None:
        """The level that all runs choose."""
        return self.choose_level(np.ones(len(self.runs), dtype=bool))

    @cached_property
    def left_out(self) -> dict[str, int | None]:
        """For each configuration the level that the runs of all others choose."""
        return {configuration: self.choose_level(self.others(configuration)) for configuration in self.configurations}

    def choose_level(self, runs: Bool[ndarray, " run"]) -> int | None:
        """Which level these runs choose: the most sensitive with few enough false alarms; ``None`` if none warned any run in time."""
        judged = self._outcomes[runs]
        counted = np.maximum((judged != Outcome.UNDECIDED).sum(axis=0), 1)
        fine = (judged == Outcome.FALSE).sum(axis=0) / counted <= MOST_FALSE
        strict = np.logical_and.accumulate(fine[::-1])[::-1]
        useful = strict & (judged == Outcome.EARLY).any(axis=0)
        return int(useful.argmax()) if useful.any() else None

    @cached_property
    def levels(self) -> Float[ndarray, " level"]:
        """The levels that may be chosen, the most sensitive first; fixed, so that no run has a say in them."""
        return _RANKS[::-1] if is_falling(self.metric) else _SHARES

    @cached_property
    def times(self) -> Float[ndarray, "run level"]:
        """When each run's warning at each level would have been raised."""
        falling = is_falling(self.metric)
        return np.array([crossing_times(run.curves[self.metric], self.levels, falling=falling) for run in self.runs])

    @cached_property
    def _outcomes(self) -> ndarray:
        tau_mem = np.array([_reached(run.tau_mem) for run in self.runs])
        return outcomes(self.times, tau_mem[:, None], np.array([run.last_step for run in self.runs])[:, None])


def crossing_times(curve: Curve, levels: Float[ndarray, " level"], *, falling: bool) -> Float[ndarray, " level"]:
    """When a curve first passes each level and stays, as ``warning_onset`` says; infinite where it does not.

    A crossing before the first measurement counts as at it.
    """
    if falling:
        curve, levels = curve.falling(), -levels
    above = curve.value[None, :] >= levels[:, None]
    confirmed = above & np.concatenate([above[:, 1:], (curve.low[-1:] > levels[:, None])], axis=1)
    index = confirmed.argmax(axis=1)
    before = np.maximum(index - 1, 0)
    a, b = curve.value[before], curve.value[index]
    share = np.clip(np.divide(levels - a, b - a, out=np.ones(len(levels)), where=b > a), 0, 1)
    times = curve.step[before] * (curve.step[index] / curve.step[before]) ** share
    return np.where(confirmed.any(axis=1), times, np.inf)


def outcomes(tau_warning: ndarray, tau_mem: ndarray, last_step: ndarray) -> ndarray:
    """What became of warnings, as values of ``Outcome``; a time that was not reached is infinite."""
    raised, copied = np.isfinite(tau_warning), np.isfinite(tau_mem)
    too_early = np.where(copied, tau_mem, last_step) > MOST_EARLY * tau_warning
    kinds = [
        (~raised & ~copied, Outcome.QUIET),
        (~raised, Outcome.MISSED),
        (copied & (tau_warning >= tau_mem), Outcome.LATE),
        (too_early, Outcome.FALSE),
        (copied, Outcome.EARLY),
    ]
    return np.select([condition for condition, _ in kinds], [kind.value for _, kind in kinds], default=Outcome.UNDECIDED.value)


def _reached(onset: Onset) -> float:
    return onset.value if onset.value is not None else np.inf


def calibrate(pool: Pool) -> ProbeCalibration:
    """The level from all runs, and how the levels from all but one configuration did on that one."""
    told = {"dataset": pool.dataset, "size": pool.size, "tau_mem_level": pool.tau_mem_level, "metric": pool.metric}
    told |= {"falling": is_falling(pool.metric), "runs": len(pool.runs), "configurations": len(pool.configurations)}
    told |= {"most_false": MOST_FALSE, "most_early": MOST_EARLY}
    if pool.lacking:
        return ProbeCalibration.model_validate(told | {"level": None, "note": pool.lacking})
    chosen = pool.everyones
    judged = [found for configuration in pool.configurations for found in _left_out(pool, configuration)]
    counts = Counter(kind for kind, _ in judged)
    told |= {"outcomes": {kind: counts[kind] for kind in Outcome}, "false_alarms": _false_alarms(counts), "lead": _median(judged)}
    if chosen is None:
        return ProbeCalibration.model_validate(told | {"level": None, "note": _NO_LEVEL})
    return ProbeCalibration.model_validate(told | {"level": float(pool.levels[chosen]), "note": _note(pool)})


def _left_out(pool: Pool, configuration: str) -> list[tuple[Outcome, float]]:
    """Outcome and lead of the runs of a configuration at the level of all others; without a level nothing is raised."""
    others = pool.others(configuration)
    level = pool.left_out[configuration]
    mine = [run for run, other in zip(pool.runs, others, strict=True) if not other]
    times = np.full(len(mine), np.inf) if level is None else pool.times[~others, level]
    tau_mem, last = (np.array(column) for column in zip(*((_reached(run.tau_mem), run.last_step) for run in mine), strict=True))
    both = np.isfinite(times) & np.isfinite(tau_mem)
    leads = np.divide(tau_mem, times, out=np.full(len(mine), np.nan), where=both)
    return [(Outcome(kind), float(lead)) for kind, lead in zip(outcomes(times, tau_mem, last), leads, strict=True)]


def _false_alarms(counts: Counter[Outcome]) -> FalseAlarms | None:
    false, judged = counts[Outcome.FALSE], counts.total() - counts[Outcome.UNDECIDED]
    if not judged:
        return None
    low, high = clopper_pearson(false, judged)
    return FalseAlarms(value=false / judged, low=low, high=high, count=judged)


def _median(judged: Sequence[tuple[Outcome, float]]) -> Lead | None:
    leads = np.array([lead for _, lead in judged if np.isfinite(lead)])
    if not len(leads):
        return None
    value, low, high = median_interval(leads)
    return Lead(value=value, low=low, high=high, count=len(leads))


def _note(pool: Pool) -> str:
    never = sum(run.tau_mem.value is None for run in pool.runs)
    seeds = len(pool.runs) > len(pool.configurations)
    return (
        f"judged leaving out one of {len(pool.configurations)} configurations at a time"
        + ("; the intervals take runs as independent, though seeds of one configuration are alike" if seeds else "")
        + ("; every run went on to copy, so alarms in runs that never copy are not tested" if not never else "")
    )


def warn(run_id: str, curve: Curve, *, configuration: str, pool: Pool, tau_mem: Onset | None, ended_at: float | None) -> RunWarning:
    """The warning of one probe in one run, at the level of the other configurations.

    Args:
        curve: that of the probe.
        tau_mem: of this run, as far as it is known.
        ended_at: the last measured step of a run that is over.
    """
    given = {"run_id": run_id, "metric": pool.metric, "falling": is_falling(pool.metric)}
    chosen = None if pool.lacking else pool.left_out.get(configuration, pool.everyones)
    if chosen is None:
        return RunWarning.model_validate(given | {"level": None, "note": pool.lacking or _NO_LEVEL})
    level = float(pool.levels[chosen])
    onset = warning_onset(curve, pool.metric, level, falling=is_falling(pool.metric))
    given |= {"level": level, "onset": onset, "lead": _lead(onset, tau_mem), "outcome": _verdict(onset, tau_mem, ended_at)}
    return RunWarning.model_validate(given | {"note": f"level from {int(pool.others(configuration).sum())} runs of other configurations"})


def _lead(onset: Onset, tau_mem: Onset | None) -> Lead | None:
    """The ratio with the widest interval that both intervals allow."""
    if onset.value is None or tau_mem is None or tau_mem.value is None:
        return None
    low = tau_mem.low / onset.high if tau_mem.low is not None and onset.high is not None else None
    high = tau_mem.high / onset.low if tau_mem.high is not None and onset.low else None
    return Lead(value=tau_mem.value / onset.value, low=low, high=high)


def _verdict(onset: Onset, tau_mem: Onset | None, ended_at: float | None) -> Outcome | None:
    known = (OnsetStatus.REACHED, OnsetStatus.CENSORED)
    if ended_at is None or tau_mem is None or tau_mem.status not in known or onset.status not in known:
        return None
    found = outcomes(np.array(_reached(onset)), np.array(_reached(tau_mem)), np.array(ended_at))
    return Outcome(str(found))
