"""What is drawn as one line: a run, or the mean of several that differ by their seed alone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from frontend.charts.groups import Group
from tauscope.analysis.seeds import MIN_SEEDS, SeedCurve, mean_over_seeds, onset_over_seeds
from tauscope.contracts.curves import Curves, Series
from tauscope.contracts.onsets import Onset
from tauscope.contracts.run_views import RunView
from tauscope.contracts.runs import RunState

_POSITIVE = 1e-12
_ONSETS = ("tau_gen", "tau_mem")


@dataclass(frozen=True)
class SeedLine:
    """Runs of one setting and what they are drawn as: themselves, or the mean of so many seeds, a run under an id of its own."""

    members: Group
    drawn: Group
    n_seeds: int  # That the line is the mean of; 1 for runs by themselves.

    @property
    def name(self) -> str:
        return self.drawn.name

    @property
    def heading(self) -> str:
        """The name with how many seeds it stands for."""
        of = f" of {len(self.members.runs)}" if self.n_seeds < len(self.members.runs) else ""
        return f"{self.name} ({self.n_seeds}{of} seeds)" if self.is_mean else self.name

    @property
    def run(self) -> RunView:
        return self.drawn.runs[0]

    @property
    def is_mean(self) -> bool:
        return self.n_seeds > 1

    @property
    def alike(self) -> bool:
        """Whether several seeds are drawn one by one, none of them before the others."""
        return len(self.drawn.runs) > 1

    def marked(self, onset: str) -> Group:
        """Whose marks show an onset: the mean's where every seed has reached it, else each run's own."""
        return self.drawn if self.is_mean and onset in self.run.onsets else self.members


def seed_lines(groups: Iterable[Group], curves: Curves, *, apart: bool = False) -> tuple[SeedLine, ...]:
    """A line for each group: the mean of its seeds once three have begun, unless each is wanted by itself."""
    return tuple(_line(group, begun_runs(group.runs, curves), apart=apart) for group in groups)


def _line(group: Group, begun: tuple[RunView, ...], *, apart: bool) -> SeedLine:
    if apart or len(begun) < MIN_SEEDS:
        return SeedLine(group, group, 1)
    run = mean_run(group.key, begun)
    return SeedLine(group, replace(group, runs=(run.model_copy(update={"onsets": seed_onsets(group)}),)), len(begun))


def seed_onsets(group: Group) -> dict[str, Onset]:
    """The onsets that every one of three or more seeds has reached, as one."""
    found = {name: [run.onsets[name] for run in group.runs if name in run.onsets] for name in _ONSETS}
    return {name: mean for name, known in found.items() if len(known) == len(group.runs) and (mean := onset_over_seeds(known))}


def begun_runs(runs: Sequence[RunView], curves: Curves) -> tuple[RunView, ...]:
    """The runs that have measured anything."""
    return tuple(run for run in runs if any(series.step for series in curves.runs.get(run.id, {}).values()))


def mean_run(key: str, runs: Sequence[RunView]) -> RunView:
    """The run that stands for several: as far and as long as they are on average; it has no state or onset of its own."""
    mean = {"step": round(sum(run.step for run in runs) / len(runs)), "seconds": sum(run.seconds for run in runs) / len(runs)}
    return runs[0].model_copy(update=mean | {"id": f"mean:{key}", "state": RunState.FINISHED, "onsets": {}, "final": {}})


def drawn_curves(lines: Sequence[SeedLine], curves: Curves, metrics: Iterable[str]) -> Curves:
    """The curves of the lines alone: a run's as they are, a mean's averaged over its seeds."""
    wanted = tuple(dict.fromkeys(metrics))
    means = {line.run.id: _means(line, curves, wanted) for line in lines if line.is_mean}
    singles = {run.id: curves.runs.get(run.id, {}) for line in lines if not line.is_mean for run in line.drawn.runs}
    runs = {**singles, **means}
    return curves.model_copy(update={"runs": {run: found for run, found in runs.items() if found}})


def _means(line: SeedLine, curves: Curves, metrics: Sequence[str]) -> dict[str, Series]:
    begun = begun_runs(line.members.runs, curves)
    found = {metric: [curves.runs.get(run.id, {}).get(metric) for run in begun] for metric in metrics}
    made = {
        metric: _mean(known, within=(0.0, 1.0) if metric.startswith("f_mem") else (_POSITIVE, np.inf))
        for metric, series in found.items()
        if len(known := [item for item in series if item]) == len(series)
    }
    return {metric: series for metric, series in made.items() if series.step}


def _mean(series: Sequence[Series], *, within: tuple[float, float]) -> Series:
    """Student's interval knows no bounds: of a share it ends at 0 and 1, of a distance or loss where its logarithm does."""
    mean = mean_over_seeds([_seed_curve(item) for item in series])
    ends = {"mean": mean.mean, "low": mean.low.clip(*within), "high": mean.high.clip(*within)}
    columns = {name: [None if np.isnan(number) else float(number) for number in column] for name, column in ends.items()}
    return Series.model_validate(
        {
            "step": [round(tau) for tau in mean.tau],
            "value": columns["mean"],
            "low": columns["low"],
            "high": columns["high"],
            "count": [len(series)] * len(mean.tau),
            "reason": [None if value is not None else "not every seed has a value here" for value in columns["mean"]],
        }
    )


def _seed_curve(series: Series) -> SeedCurve:
    rows = [row for row in zip(series.step, series.value, series.low, series.high, strict=True) if row[0] > 0]
    columns = [np.array(column, dtype=np.float64) for column in zip(*rows, strict=True)] if rows else [np.empty(0)] * 4
    return SeedCurve(*columns)
