"""Synthetic experiments to compare with the finished one: another network measured otherwise, and several seeds of each n."""

import math

from tauscope.contracts.curves import Curves, Series
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.onsets import Onset
from tauscope.contracts.run_views import RunView
from tauscope.contracts.runs import RunState
from tests.frontend import fake_world as world

SEEDS = (1, 2, 3, 4)
_WIDTH, _FACTOR = 32, 2.0


def wide(identifier: str = "wide") -> ExperimentView:
    """Twice as wide, half the learning rate, and fewer noise levels, so that its losses are other quantities under the same names."""
    view = world.finished(identifier)
    base = view.sweep["base"]
    changed = {
        "network": base["network"] | {"base_width": _WIDTH},
        "optimizer": base["optimizer"] | {"lr": 0.001},
        "process": {"name": "linear", "steps": 500},
    }
    runs = tuple(run.model_copy(update={"width": _WIDTH, "seconds": 3 * run.seconds, "onsets": _earlier(run.onsets)}) for run in view.runs)
    return view.model_copy(update={"name": "digits, twice as wide", "sweep": view.sweep | {"base": base | changed}, "runs": runs})


def pairs(identifier: str = "pairs") -> ExperimentView:
    """Two seeds of each size: too few for an interval over them."""
    view = seeds(identifier)
    return view.model_copy(update={"runs": tuple(run for run in view.runs if run.params["seed"] in SEEDS[:2])})


def seeds(identifier: str = "seeds") -> ExperimentView:
    """Four seeds of two sizes each."""
    sizes = (16, 64)
    runs = tuple(
        world.run_view(identifier, place, n, step=world.BUDGETS[n], state=RunState.FINISHED).model_copy(
            update={"params": {"n_train": n, "seed": seed}, "label": f"n_train={n}, seed={seed}"}
        )
        for place, (n, seed) in enumerate((n, seed) for n in sizes for seed in SEEDS)
    )
    sweep = world.sweep("digits, four seeds", sizes)
    sweep |= {"axes": sweep["axes"] | {"seed": list(SEEDS)}}
    view = world.experiment_view(identifier, "digits, four seeds", runs, state=RunState.FINISHED)
    return view.model_copy(update={"sweep": sweep})


def _earlier(onsets: dict[str, Onset]) -> dict[str, Onset]:
    """The same onsets as many times earlier as the network is wider."""
    ends = ("value", "low", "high")
    return {
        name: onset.model_copy(update={end: at / _FACTOR for end in ends if (at := getattr(onset, end)) is not None})
        for name, onset in onsets.items()
    }


def wide_curves(view: ExperimentView) -> Curves:
    """The curves of its runs, as many times earlier."""
    curves = world.curves_of(view)
    return curves.model_copy(update={"runs": {run: shifted(found, _FACTOR) for run, found in curves.runs.items()}})


def seed_curves(view: ExperimentView) -> Curves:
    """The curves of each run a little early or late by its seed."""
    curves = world.curves_of(view)
    return curves.model_copy(
        update={"runs": {run.id: shifted(curves.runs[run.id], _by_seed(run)) for run in view.runs if run.id in curves.runs}}
    )


def _by_seed(run: RunView) -> float:
    return math.exp(0.12 * (int(run.params["seed"]) - 2.5))


def shifted(found: dict[str, Series], factor: float) -> dict[str, Series]:
    """The copies and losses of a run a factor earlier."""
    return {name: _at_other_times(item, factor) if name == "f_mem" or name.startswith("loss") else item for name, item in found.items()}


def _at_other_times(item: Series, factor: float) -> Series:
    """The values that the series has at times a factor earlier or later, at the same steps."""
    columns = {name: [_value(item.step, getattr(item, name), step * factor) for step in item.step] for name in ("value", "low", "high")}
    return item.model_copy(update={name: tuple(column) for name, column in columns.items()})


def _value(steps: tuple[int, ...], values: tuple[float | None, ...], at: float) -> float:
    known = [value if value is not None else 0.0 for value in values]
    place = next((row for row, step in enumerate(steps) if step >= at), len(steps) - 1)
    if place == 0 or steps[place] <= at:
        return known[place]
    share = math.log(at / steps[place - 1]) / math.log(steps[place] / steps[place - 1])
    return known[place - 1] + share * (known[place] - known[place - 1])


CURVES = {"wide": wide_curves, "seeds": seed_curves, "pairs": seed_curves}
