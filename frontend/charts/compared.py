"""The lines of a comparison: one for each run, or one for all seeds of a setting; experiments told apart by line style and marker."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from frontend.charts.groups import Group, group_runs, run_name
from frontend.comparison import Part
from frontend.theme import Palette, n_colours
from tauscope.analysis.seeds import MIN_SEEDS, SeedCurve, mean_over_seeds
from tauscope.contracts.curves import Curves, Series
from tauscope.contracts.run_views import RunView
from tauscope.contracts.runs import RunState

# Dots belong to the control alone.
DASHES = ("solid", "dash", "dashdot", "longdash", "longdashdot")
_POSITIVE = 1e-12
SYMBOLS = ("circle", "square", "triangle-up", "x", "cross", "star")


@dataclass(frozen=True)
class Line:
    """What is drawn as one curve. ``drawn`` is the run it is drawn as: a run itself, or the mean of several under an id of its own."""

    key: str
    part: Part
    members: Group
    drawn: Group
    dash: str
    symbol: str
    n_seeds: int  # That the line is the mean of; 1 for a run by itself.

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
        return len(self.members.runs) > 1


def compared_lines(parts: Sequence[Part], curves: Curves, palette: Palette, *, seeds_apart: bool = False) -> tuple[Line, ...]:
    """Every line, experiment by experiment and small n first. Lightness follows n over all experiments; where there is one n alone,
    the order of the settings inside an experiment. Settings of one n and one experiment differ by marker."""
    sizes = sorted({run.n_train or 0 for part in parts for run in part.runs})
    by_n = dict(zip(sizes, n_colours(len(sizes), palette), strict=True)) if len(sizes) > 1 else {}
    lines: list[Line] = []
    for place, part in enumerate(parts):
        same_n: Counter[int | None] = Counter()
        for group in _chosen_groups(part, palette):
            colour = by_n.get(group.n_train or 0, group.colour)
            for made in _lines_of(group, part, curves, colour, alone=len(parts) == 1, apart=seeds_apart):
                turn = place // len(DASHES) + same_n[group.n_train]
                same_n[group.n_train] += 1
                symbol = SYMBOLS[(place % len(DASHES) + turn) % len(SYMBOLS)]
                members, shown, n_seeds = made
                lines.append(Line(members.key, part, members, shown, DASHES[place % len(DASHES)], symbol, n_seeds))
    return tuple(lines)


def _chosen_groups(part: Part, palette: Palette) -> Iterable[Group]:
    for group in group_runs(part.experiment, palette):
        runs = tuple(run for run in group.runs if run.id in part.chosen)
        if runs:
            # The whole group names its runs: one of several seeds is called by its seed.
            named = group.name if len(group.runs) == len(runs) else run_name(group, runs[0]) if len(runs) == 1 else group.name
            yield Group(group.key, named, runs, group.colour)


def _lines_of(group: Group, part: Part, curves: Curves, colour: str, *, alone: bool, apart: bool) -> list[tuple[Group, Group, int]]:
    """Members, what is drawn, and of how many seeds: their mean where enough have begun, else each run by itself."""
    lead = "" if alone else f"{part.letter} "
    begun = _begun(group.runs, curves)
    if len(begun) >= MIN_SEEDS and not apart:
        key = f"{part.letter}/{group.key}"
        members = Group(key, f"{lead}{group.name}", group.runs, colour)
        return [(members, Group(key, members.name, (_mean_run(key, begun),), colour), len(begun))]
    singles = [Group(f"{part.letter}/{run.id}", f"{lead}{run_name(group, run)}", (run,), colour) for run in group.runs]
    return [(single, single, 1) for single in singles]


def _begun(runs: Sequence[RunView], curves: Curves) -> tuple[RunView, ...]:
    """The runs that have measured anything."""
    return tuple(run for run in runs if any(series.step for series in curves.runs.get(run.id, {}).values()))


def _mean_run(key: str, runs: Sequence[RunView]) -> RunView:
    """The run that stands for several: as far and as long as they are on average; it has no state or onset of its own."""
    mean = {"step": round(sum(run.step for run in runs) / len(runs)), "seconds": sum(run.seconds for run in runs) / len(runs)}
    return runs[0].model_copy(update=mean | {"id": f"mean:{key}", "state": RunState.FINISHED, "onsets": {}, "final": {}})


def drawn_curves(lines: Sequence[Line], curves: Curves, metrics: Iterable[str]) -> Curves:
    """The curves of the lines alone: a run's as they are, a mean's averaged over its seeds."""
    wanted = tuple(dict.fromkeys(metrics))
    runs = {line.run.id: _means(line, curves, wanted) if line.is_mean else curves.runs.get(line.run.id, {}) for line in lines}
    return curves.model_copy(update={"runs": {run: found for run, found in runs.items() if found}})


def _means(line: Line, curves: Curves, metrics: Sequence[str]) -> dict[str, Series]:
    begun = _begun(line.members.runs, curves)
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


def merged(parts: Iterable[Part], found: Mapping[str, Curves]) -> Curves:
    """The curves of the compared runs in one, from those of each experiment by its id; ids of runs are unique."""
    listed = [(part, found[part.experiment.id]) for part in parts]
    metrics = {name: info for _, curves in reversed(listed) for name, info in curves.metrics.items()}
    runs = {run: series for part, curves in listed for run, series in curves.runs.items() if run in part.chosen}
    return Curves(experiment_id="", cursor="", metrics=metrics, runs=runs)
