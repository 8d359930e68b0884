"""The lines of a comparison: one for each run, or one for all seeds of a setting; experiments told apart by line style and marker."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from frontend.charts.groups import Group, group_runs, run_name
from frontend.charts.seed_lines import SeedLine, begun_runs, mean_run
from frontend.comparison import Part
from frontend.theme import Palette, n_colours
from tauscope.analysis.seeds import MIN_SEEDS
from tauscope.contracts.curves import Curves

# Dots belong to the control alone.
DASHES = ("solid", "dash", "dashdot", "longdash", "longdashdot")
SYMBOLS = ("circle", "square", "triangle-up", "x", "cross", "star")


@dataclass(frozen=True)
class Line(SeedLine):
    """A line of one of the experiments, told apart by dash and marker; ``key`` stands in addresses."""

    key: str
    part: Part
    dash: str
    symbol: str


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
                lines.append(Line(members, shown, n_seeds, members.key, part, DASHES[place % len(DASHES)], symbol))
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
    begun = begun_runs(group.runs, curves)
    if len(begun) >= MIN_SEEDS and not apart:
        key = f"{part.letter}/{group.key}"
        members = Group(key, f"{lead}{group.name}", group.runs, colour)
        return [(members, Group(key, members.name, (mean_run(key, begun),), colour), len(begun))]
    singles = [Group(f"{part.letter}/{run.id}", f"{lead}{run_name(group, run)}", (run,), colour) for run in group.runs]
    return [(single, single, 1) for single in singles]


def merged(parts: Iterable[Part], found: Mapping[str, Curves]) -> Curves:
    """The curves of the compared runs in one, from those of each experiment by its id; ids of runs are unique."""
    listed = [(part, found[part.experiment.id]) for part in parts]
    metrics = {name: info for _, curves in reversed(listed) for name, info in curves.metrics.items()}
    runs = {run: series for part, curves in listed for run, series in curves.runs.items() if run in part.chosen}
    return Curves(experiment_id="", cursor="", metrics=metrics, runs=runs)
