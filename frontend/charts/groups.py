"""Runs that differ by seed alone form a group: one colour, one label, one row of the table."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from frontend.comparison import spec_of
from frontend.theme import Palette, following_n_colours, n_colours
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.run_views import RunView
from tauscope.specs import ExperimentSpec
from tauscope.specs.setting_words import LOOKED_AT as _LOOKED_AT
from tauscope.specs.setting_words import setting_words, uncapitalized

_SEED = "seed"
_SHORT = {"n_train": "n", "dataset.n_train": "n", "width": "W", "network.base_width": "W"}


@dataclass(frozen=True)
class Group:
    """Runs of one setting, in the order of their seeds; ``key`` stands in addresses."""

    key: str
    name: str
    runs: tuple[RunView, ...]
    colour: str

    @property
    def n_train(self) -> int | None:
        return self.runs[0].n_train


def group_runs(experiment: ExperimentView, palette: Palette | None) -> tuple[Group, ...]:
    """Every group of an experiment, small n first; lightness follows n, or the order of the axis where n is fixed.

    Without a palette the colours are CSS that follows the viewer's theme by itself.
    """
    found: dict[str, list[RunView]] = {}
    for run in experiment.runs:
        found.setdefault(_key(run), []).append(run)
    names = {key: _name(runs[0], spec_of(experiment, runs[0])) for key, runs in found.items()}
    ordered = sorted(found.items(), key=lambda item: (item[1][0].n_train or 0, item[1][0].index))
    sizes = sorted({runs[0].n_train or 0 for _, runs in ordered})
    by_n, by_order = (n_colours(count, palette) if palette else following_n_colours(count) for count in (len(sizes), len(ordered)))
    return tuple(
        Group(key, names[key], tuple(runs), by_n[sizes.index(runs[0].n_train or 0)] if len(sizes) > 1 else by_order[position])
        for position, (key, runs) in enumerate(ordered)
    )


def focused(groups: Iterable[Group], key: str | None) -> Group | None:
    """The group that an address names, or the last (largest n)."""
    listed = list(groups)
    return next((group for group in listed if group.key == key), listed[-1] if listed else None)


def run_name(group: Group, run: RunView) -> str:
    """The group's name, and the seed where there are several."""
    return group.name if len(group.runs) == 1 else f"{group.name}, seed {run.params.get(_SEED, run.index)}"


def seed_name(group: Group, run: RunView) -> str:
    """The seed alone, below the first run of its group: the group's name need not be said again, and would not fit."""
    return run_name(group, run).removeprefix(f"{group.name}, ")


def _key(run: RunView) -> str:
    values = [_text(value) for name, value in run.params.items() if name != _SEED]
    return ",".join(values) or str(run.n_train if run.n_train is not None else run.index)


def heading(groups: Iterable[Group]) -> str:
    """What the groups are told apart by, where that is one thing: ``n``, ``guidance``."""
    found = {group.name.partition(" = ")[0] if group.name.count(" = ") == 1 else "" for group in groups}
    return found.pop() if len(found) == 1 and "" not in found else "n" if not found else "setting"


def _name(run: RunView, spec: ExperimentSpec | None) -> str:
    """Short names with their values, and what has none in the words of the form; not where a setting is looked at."""
    own = {name: value for name, value in run.params.items() if name != _SEED and not name.startswith(_LOOKED_AT)}
    long = {name: value for name, value in own.items() if name not in _SHORT and (name.count(".") or isinstance(value, dict))}
    named = {_SHORT.get(name, name.rpartition(".")[2]): value for name, value in own.items() if spec is None or name not in long}
    told = uncapitalized(setting_words(spec, long)) if spec is not None and long else ""
    # Of two twins the one on the odd slice is called so: beside its run that says all, and rows have little room.
    twin = run.twin_id is not None and named.get("subset", 0) % 2 == 1
    if twin:
        del named["subset"]
    if not named and not told and run.n_train is not None:
        named = {"n": run.n_train}
    words = ", ".join([*(f"{name} = {_text(value)}" for name, value in named.items()), *([told] if told else [])]) or run.label
    return f"{words}, twin" if twin else words


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return str(value.get("name", value))
    return f"{value:,}" if isinstance(value, int) else f"{value:.10g}" if isinstance(value, float) else str(value)
