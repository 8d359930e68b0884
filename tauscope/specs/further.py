"""A sweep with runs beside its combinations: single cells (n, W, seed), as an exploration adds them."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from tauscope.specs.errors import SpecError
from tauscope.specs.sweep import SweepSpec, parse_sweep

PATHS = {"n_train": "dataset.n_train", "width": "network.base_width", "seed": "seed"}
_REPEATS = ("subset", "dataset.subset")


class CellRun(NamedTuple):
    """One run of a cell of the phase diagram."""

    n_train: int
    width: int
    seed: int
    steps: int


def with_cells(sweep: SweepSpec, runs: Sequence[CellRun]) -> SweepSpec:
    """The sweep with further runs; n, W and seed become axes of one value where they were none, so that every run is told by them.

    Raises:
        SpecError: if its runs differ in more than n, W, seed and subset, or if a run cannot be made; it names the field.
    """
    document = sweep.model_dump(mode="json")
    names = {field: _axis(sweep, field, path) for field, path in PATHS.items()}
    for field, name in names.items():
        if name not in sweep.axes:
            document["axes"][name] = [_value(document["base"], PATHS[field])]
            document["further"] = [{name: document["axes"][name][0], **run} for run in document["further"]]
    others = {name: _only(name, values) for name, values in sweep.axes.items() if name not in names.values()}
    document["further"] = [
        *document["further"],
        *(
            {**others, names["n_train"]: run.n_train, names["width"]: run.width, names["seed"]: run.seed, "steps": run.steps}
            for run in runs
        ),
    ]
    return parse_sweep(document)


def _axis(sweep: SweepSpec, field: str, path: str) -> str:
    """The axis that varies a field, or the name it gets."""
    found = next((name for name in sweep.axes if name in (field, path)), None)
    decided = next((name for name in sweep.overrides if name in (field, path)), None)
    if decided is not None:
        raise SpecError.single(f"overrides.{decided}", "decides a value that is to be explored", "Make it an axis")
    if found is None and sweep.combine == "zip":
        raise SpecError.single(
            "combine", f"axes in step cannot take {field} as one more", f"Add {field} to the axes, or use combine: cross"
        )
    return found or field


def _only(name: str, values: Sequence[Any]) -> Any:
    if len(values) > 1 and name not in _REPEATS:
        raise SpecError.single(
            f"axes.{name}", "varies beside n, W and seed, so that the runs are no one diagram", "Explore a sweep without it"
        )
    return values[0]


def _value(base: dict[str, Any], path: str) -> Any:
    for part in path.split("."):
        base = base[part]
    return base
