"""Settings side by side: their onsets, and their quality and copying at one training time."""

import json
import math
from collections.abc import Iterator, Sequence

import numpy as np

from tauscope.analysis.metrics_info import metric_infos
from tauscope.analysis.phase_states import MeasuredRun
from tauscope.analysis.seeds import MIN_SEEDS, SeedCurve, mean_over_seeds, onset_over_seeds
from tauscope.contracts.interventions import AT_SAMPLING, Interventions, Setting
from tauscope.contracts.onsets import Onset
from tauscope.contracts.points import Point
from tauscope.specs import ExperimentSpec
from tauscope.specs.fields import BETWEEN, FieldValue, field_values
from tauscope.specs.setting_words import LOOKED_AT, setting_words

SEED, N_TRAIN = "seed", "n_train"
AGAIN = "measured again"
"""Under which a run that another sampler measured again has the name of that set among its parameters."""
F_MEM, CONTROL = "f_mem", "f_mem_control"


def interventions(experiment: str, runs: Sequence[MeasuredRun], at: int | None = None) -> Interventions:
    """One row for each setting in the order of the sweep; of fewer than three seeds one for each run.

    Quality and copying are told at one training time for all, interpolated between checkpoints, linear in log tau: a setting that learns
    later copies later, and would look safe at a checkpoint of its own.

    Args:
        experiment: its name.
        runs: of one sweep.
        at: the training step; by default the last at which every run has drawn samples.

    Raises:
        ValueError: if no run was sampled, or ``at`` lies outside of what every run has measured.
    """
    first, last = _covered(runs)
    chosen = last if at is None else at
    if not first <= chosen <= last:
        raise ValueError(f"step {chosen:,} is not measured by all runs | Choose from {first:,} to {last:,}")
    path, axis = _axis(runs)
    rows = [
        _setting(members, chosen, path) for group in _groups(runs) for members in ([group] if len(group) >= MIN_SEEDS else _singly(group))
    ]
    labels = {name: info.label for run in runs for name, info in metric_infos(run.spec).items() if name in metrics_compared(run.spec)}
    return Interventions(experiment=experiment, at=chosen, settings=tuple(rows), axis=axis, labels=labels)


def metrics_compared(spec: ExperimentSpec) -> set[str]:
    """The metrics that a row is made of."""
    return {F_MEM, CONTROL, spec.onsets.tau_gen.metric, spec.onsets.tau_mem.metric, *filter(None, [_drawn(spec)])}


def _drawn(spec: ExperimentSpec) -> str | None:
    """The quality of samples that is shown beside the one that defines tau_gen."""
    return next((name for name in spec.quality_metrics if not name.startswith("loss_") and name != spec.onsets.tau_gen.metric), None)


def _covered(runs: Sequence[MeasuredRun]) -> tuple[int, int]:
    """The first and last step between which every run has f_mem."""
    measured = [[point.step for point in run.points if point.metric == F_MEM and point.value is not None] for run in runs]
    if not measured or not all(measured):
        raise ValueError("a run has no f_mem yet, so settings cannot be compared | Wait until each has drawn samples, or leave it out")
    return max(min(steps) for steps in measured), min(max(steps) for steps in measured)


def _groups(runs: Sequence[MeasuredRun]) -> list[list[MeasuredRun]]:
    found: dict[str, list[MeasuredRun]] = {}
    for run in runs:
        found.setdefault(json.dumps(_changed(run), sort_keys=True), []).append(run)
    return list(found.values())


def _changed(run: MeasuredRun) -> dict[str, object]:
    return {name: value for name, value in run.summary.params.items() if name != SEED}


def _singly(group: Sequence[MeasuredRun]) -> Iterator[list[MeasuredRun]]:
    for run in group:
        yield [run]


def _setting(members: Sequence[MeasuredRun], at: int, path: str) -> Setting:
    spec = members[0].spec
    drawn = _drawn(spec)
    return Setting(
        setting=_words(members[0]),
        at=None if AGAIN in _changed(members[0]) else _number(members[0].spec, path),
        seeds=tuple(run.spec.seed for run in members),
        n_train=spec.n_train,
        tau_gen=_onsets(members, "tau_gen"),
        tau_mem=_onsets(members, "tau_mem"),
        quality=_at(members, spec.onsets.tau_gen.metric, at),
        samples=None if drawn is None else _at(members, drawn, at),
        f_mem=_at(members, F_MEM, at),
        control=_at(members, CONTROL, at),
    )


def _words(run: MeasuredRun) -> str:
    """What the sweep changes; n has a column of its own."""
    told = _told(run)
    sampled = told.pop(AGAIN, None)
    trained = setting_words(run.spec, told)
    return "; ".join(part for part in (trained, f"{sampled}{AT_SAMPLING}" if sampled else "") if part)


def _told(run: MeasuredRun) -> dict[str, object]:
    told = {name: value for name, value in _changed(run).items() if not name.startswith(LOOKED_AT)}
    return {name: value for name, value in told.items() if name.rpartition(".")[2] != N_TRAIN}


def _axis(runs: Sequence[MeasuredRun]) -> tuple[str, str]:
    """The path and the label of the one field that all runs differ in, if its values are numbers; else nothing."""
    changed = {name for run in runs for name in _told(run) if name != AGAIN}
    path = changed.pop() if len(changed) == 1 else ""
    values = {_number(run.spec, path) for run in runs}
    if None in values or len(values) < 2:
        return "", ""
    field = _field(runs[0].spec, path)
    assert field is not None
    return path, ", ".join(part for part in (field.title.rpartition(BETWEEN)[2], field.unit) if part)


def _number(spec: ExperimentSpec, path: str) -> float | None:
    found = _field(spec, path)
    return float(found.value) if found is not None and isinstance(found.value, int | float) and not isinstance(found.value, bool) else None


def _field(spec: ExperimentSpec, path: str) -> FieldValue | None:
    return next((item for item in field_values(spec) if item.path == spec.ALIASES.get(path, path)), None)


def _onsets(members: Sequence[MeasuredRun], name: str) -> tuple[Onset, ...]:
    found = tuple(run.summary.onsets[name] for run in members if name in run.summary.onsets)
    together = onset_over_seeds(found) if len(found) == len(members) else None
    return found if together is None else (together,)


def _at(members: Sequence[MeasuredRun], metric: str, at: int) -> Point:
    curves = [_curve(run, metric) for run in members]
    if any(len(curve.tau) == 0 for curve in curves):
        return Point(step=at, metric=metric, value=None, reason="not measured")
    if len(curves) < MIN_SEEDS:
        (curve,) = curves
        columns = {name: _value(curve.tau, getattr(curve, name), at) for name in ("value", "low", "high")}
    else:
        mean = mean_over_seeds(curves)
        columns = {name: _value(mean.tau, column, at) for name, column in (("value", mean.mean), ("low", mean.low), ("high", mean.high))}
    if columns["value"] is None:
        return Point(step=at, metric=metric, value=None, reason=f"not measured at {at:,} by each of {len(members)} runs")
    if metric in (F_MEM, CONTROL):
        columns = {name: None if value is None else min(max(value, 0.0), 1.0) for name, value in columns.items()}
    return Point(step=at, metric=metric, count=_count(members, metric), **columns)


def _curve(run: MeasuredRun, metric: str) -> SeedCurve:
    points = sorted((point for point in run.points if point.metric == metric and point.step > 0), key=lambda point: point.step)
    columns = ([math.nan if (number := getattr(point, name)) is None else number for point in points] for name in ("value", "low", "high"))
    return SeedCurve(np.array([point.step for point in points], dtype=float), *(np.array(column, dtype=float) for column in columns))


def _value(tau: np.ndarray, column: np.ndarray, at: int) -> float | None:
    if len(tau) == 0 or not tau[0] <= at <= tau[-1]:
        return None
    found = float(np.interp(np.log(at), np.log(tau), column))
    return None if math.isnan(found) else found


def _count(members: Sequence[MeasuredRun], metric: str) -> int | None:
    """How many items each run's value is of; of seeds that differ in it none can be told."""
    counts = {point.count for run in members for point in run.points if point.metric == metric and point.value is not None}
    return counts.pop() if len(counts) == 1 else None
