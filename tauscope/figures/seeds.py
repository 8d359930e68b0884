"""Runs that differ by seed alone: drawn one by one below three, as mean and interval from three on."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tauscope.analysis.scaling import SEEDS_FOR_SPREAD
from tauscope.contracts.curves import Series
from tauscope.figures.rows import Kind, Row
from tauscope.figures.source import FigureData, FigureRun
from tauscope.metrics.intervals import mean_interval


@dataclass(frozen=True)
class Family:
    """Runs of one n and one setting, in the order of the sweep."""

    n_train: int | None
    runs: tuple[FigureRun, ...]

    @property
    def name(self) -> str:
        """``n = 16``, or the run's own name where it has no n."""
        return f"n = {self.n_train:,}" if self.n_train is not None else self.runs[0].id

    @property
    def averaged(self) -> bool:
        """Whether there are enough runs for the spread between them."""
        return len(self.runs) >= SEEDS_FOR_SPREAD


def families(runs: Iterable[FigureRun]) -> tuple[Family, ...]:
    """Runs by n, the smallest first."""
    found: dict[int | None, list[FigureRun]] = {}
    for run in runs:
        found.setdefault(run.n_train, []).append(run)
    return tuple(Family(n, tuple(found[n])) for n in sorted(found, key=lambda n: n or 0))


def chosen_setting(data: FigureData) -> tuple[tuple[FigureRun, ...], str]:
    """The runs of the one setting that has the most values of n, and a note where others are left out."""
    by_setting: dict[str, list[FigureRun]] = {}
    for run in data.runs:
        by_setting.setdefault(run.setting, []).append(run)
    if len(by_setting) < 2:
        return data.runs, ""
    chosen = max(by_setting, key=lambda setting: len({run.n_train for run in by_setting[setting]}))
    return tuple(by_setting[chosen]), f"{chosen}: one of {len(by_setting)} settings of this sweep; the others are not drawn"


def seeds_words(found: Sequence[Family]) -> str:
    """How many runs stand behind each n, what the intervals therefore hold, and how many of the runs are twins."""
    counts = sorted({len(family.runs) for family in found})
    if counts == [1]:
        return "one run per n: intervals hold the measurement error, not the spread between runs"
    several = f"{counts[0]} to {counts[-1]}" if len(counts) > 1 else str(counts[0])
    twins = sum(_twins(family) for family in found)
    # A twin is a run of its n like any other: it draws its images and weights anew, as chance would.
    told = f"; {twins} of the {sum(len(family.runs) for family in found)} are twins, on other images" if twins else ""
    if counts[0] >= SEEDS_FOR_SPREAD:
        return f"{several} {'runs' if twins else 'seeds'} per n: mean and 95 % Student interval over runs{told}"
    return f"{several} runs per n: mean and interval over runs where there are {SEEDS_FOR_SPREAD}; others one by one with their own{told}"


def _twins(family: Family) -> int:
    """Runs on the odd slice of the data whose even slice, with the other seed of the pair, is in the family too."""
    drawn = [(int(run.spec.get("dataset", {}).get("subset", 0)), int(run.spec.get("seed", 0))) for run in family.runs]
    return sum(subset % 2 == 1 and (subset ^ 1, seed ^ 1) in drawn for subset, seed in drawn)


def curve_rows(family: Family, metric: str, panel: str, *, kind: Kind = "curve", log: bool = False, share: bool = False) -> list[Row]:
    """One metric of a family: a curve for each run, or that of the mean over runs at the steps all of them measured.

    Args:
        log: average logarithms: the mean is geometric.
        share: an interval cannot leave [0, 1].
    """
    measured = [(run, run.series[metric]) for run in family.runs if metric in run.series]
    if len(measured) < SEEDS_FOR_SPREAD:
        return [row for run, series in measured for row in _own_rows(family, run, series, metric, panel, kind)]
    return [
        Row(panel, kind, metric, x=step, y=mean, y_low=low, y_high=high, count=count, n_train=family.n_train, runs=len(measured))
        for step, mean, low, high, count in _means([series for _, series in measured], log=log, share=share)
    ] + [row for run, series in measured for row in _missing(family, run, series, metric, panel)]


def _own_rows(family: Family, run: FigureRun, series: Series, metric: str, panel: str, kind: Kind) -> list[Row]:
    columns = zip(series.step, series.value, series.low, series.high, series.count, strict=True)
    drawn = [
        Row(panel, kind, metric, x=step, y=value, y_low=low, y_high=high, count=count, n_train=family.n_train, run=run.id)
        for step, value, low, high, count in columns
        if value is not None and step > 0
    ]
    return drawn + _missing(family, run, series, metric, panel)


def _missing(family: Family, run: FigureRun, series: Series, metric: str, panel: str) -> list[Row]:
    return [
        Row(panel, "missing", metric, x=step, n_train=family.n_train, run=run.id, note=reason or "not measured")
        for step, value, reason in zip(series.step, series.value, series.reason, strict=True)
        if value is None and step > 0
    ]


def _means(listed: Sequence[Series], *, log: bool, share: bool) -> list[tuple[int, float, float, float, int | None]]:
    """Step, mean, low, high, count at the steps that every run measured: a mean over those left would follow the survivors."""
    by_step = [dict(zip(series.step, zip(series.value, series.count, strict=True), strict=True)) for series in listed]
    common = sorted(set.intersection(*(set(steps) for steps in by_step)))
    rows = []
    for step in common:
        values = [steps[step][0] for steps in by_step]
        known = [value for value in values if value is not None]
        if step <= 0 or len(known) < len(values) or (log and min(known) <= 0):
            continue
        mean, low, high = mean_over_runs(known, log=log)
        low, high = (max(low, 0.0), min(high, 1.0)) if share else (low, high)
        rows.append((step, mean, low, high, by_step[0][step][1]))
    return rows


def mean_over_runs(values: Sequence[float], *, log: bool) -> tuple[float, float, float]:
    """Mean and 95 % Student interval over runs; of logarithms, and so geometric, with ``log``."""
    given = np.log(values) if log else np.array(values)
    mean, low, high = mean_interval(given)
    return (float(np.exp(mean)), float(np.exp(low)), float(np.exp(high))) if log else (mean, low, high)


def counts_of(rows: Iterable[Row]) -> str:
    """How many items each run measured on, in words: ``256``, or ``32 to 256``; empty where that is not known."""
    counts = sorted({row.count for row in rows if row.count})
    return "" if not counts else f"{counts[0]:,}" if len(counts) == 1 else f"{counts[0]:,} to {counts[-1]:,}"


def level_of(runs: Sequence[FigureRun], onset: str) -> tuple[str, float] | None:
    """Metric and level that define an onset, from the spec or, failing that, from a run's result."""
    stated: Mapping[str, object] = next((run.spec["onsets"][onset] for run in runs if onset in run.spec.get("onsets", {})), {})
    if stated:
        return str(stated["metric"]), float(str(stated["level"]))
    found = next((run.onsets[onset] for run in runs if onset in run.onsets), None)
    return (found.metric, found.level) if found else None
