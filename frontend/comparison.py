"""What is compared: experiments and single runs from an address, an experiment under a letter, a run with its whole configuration."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

from tauscope.client import ApiError, TauscopeClient
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.run_views import RunView
from tauscope.specs import ExperimentSpec, SpecError, parse_sweep
from tauscope.specs.fields import FieldValue, field_values, raw_values

MOST_EXPERIMENTS = 12
LETTERS = "ABCDEFGHIJKL"
_Found = TypeVar("_Found")
_UNKNOWN = (404, 422)  # No such id, and none that could be one.


@dataclass(frozen=True)
class Selection:
    """Ids as they stand in an address: whole experiments, and runs of others."""

    experiments: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.experiments or self.runs)

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "Selection":
        """The selection that ``experiments=a,b&runs=c`` names."""
        return cls(_ids(query.get("experiments", "")), _ids(query.get("runs", "")))

    def address(self) -> dict[str, str]:
        """The same as query parameters; what is empty is left out."""
        parts = {"experiments": self.experiments, "runs": self.runs}
        return {name: ",".join(ids) for name, ids in parts.items() if ids}

    def without(self, part: "Part") -> "Selection":
        """What is left when an experiment goes, with its runs."""
        gone = {run.id for run in part.experiment.runs}
        return Selection(
            tuple(item for item in self.experiments if item != part.experiment.id), tuple(item for item in self.runs if item not in gone)
        )


def _ids(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part for item in text.split(",") if (part := item.strip())))


@dataclass(frozen=True)
class Part:
    """One experiment of a comparison under its letter, and which of its runs are compared."""

    letter: str
    experiment: ExperimentView
    chosen: frozenset[str]

    @property
    def runs(self) -> tuple[RunView, ...]:
        return tuple(run for run in self.experiment.runs if run.id in self.chosen)

    @property
    def whole(self) -> bool:
        return len(self.chosen) == len(self.experiment.runs)


@dataclass(frozen=True)
class Comparison:
    """The experiments that were found, the ids that were not, and how many were too many."""

    parts: tuple[Part, ...]
    missing: tuple[str, ...] = ()
    left_out: int = 0


def find(client: TauscopeClient, selection: Selection) -> Comparison:
    """Fetch what a selection names; an unknown id is told, not fatal.

    Raises:
        ApiError: if the service refuses for another reason.
    """
    missing: list[str] = []
    wanted: dict[str, set[str] | None] = {}
    for identifier in selection.experiments:
        wanted[identifier] = None
    for identifier in selection.runs:
        run = _known(client.run, identifier, missing)
        chosen = wanted.setdefault(run.experiment_id, set()) if run is not None else None
        if run is not None and chosen is not None:
            chosen.add(run.id)
    found = []
    for identifier, runs in list(wanted.items())[:MOST_EXPERIMENTS]:
        experiment = _known(client.experiment, identifier, missing)
        if experiment is not None:
            found.append((experiment, frozenset(run.id for run in experiment.runs) if runs is None else frozenset(runs)))
    parts = tuple(Part(letter, *item) for letter, item in zip(LETTERS, found, strict=False))
    return Comparison(parts, tuple(missing), max(0, len(wanted) - MOST_EXPERIMENTS))


def _known(fetch: Callable[[str], _Found], identifier: str, missing: list[str]) -> _Found | None:
    try:
        return fetch(identifier)
    except ApiError as error:
        if error.problem.status not in _UNKNOWN:
            raise
        missing.append(identifier)
        return None


def spec_of(experiment: ExperimentView, run: RunView) -> ExperimentSpec | None:
    """A run's complete spec, with the steps it was extended to; ``None`` where this version cannot read its sweep."""
    specs = _resolved(json.dumps(experiment.sweep, sort_keys=True))
    if run.index >= len(specs):
        return None
    spec = specs[run.index]
    return spec if spec.steps == run.steps else spec.model_copy(update={"steps": run.steps})


@lru_cache(maxsize=64)
def _resolved(sweep: str) -> tuple[ExperimentSpec, ...]:
    try:
        return tuple(item.spec for item in parse_sweep(json.loads(sweep)).resolve())
    except SpecError:
        return ()


def configuration(experiment: ExperimentView, run: RunView) -> dict[str, FieldValue]:
    """Every field of a run's configuration by its path, and the code that computed it."""
    spec = spec_of(experiment, run)
    fields = field_values(spec) if spec is not None else _as_stored(experiment, run)
    code = FieldValue("code_version", "Code version", "", run.code_note or experiment.code_version)
    return {item.path: item for item in (*fields, code)}


def _as_stored(experiment: ExperimentView, run: RunView) -> Sequence[FieldValue]:
    """The stored document as far as it goes without being understood: the base, and the run's own values."""
    base = raw_values(experiment.sweep.get("base", {}))
    own = [FieldValue(name, name, "", value) for name, value in run.params.items()]
    return [*base, *own]
