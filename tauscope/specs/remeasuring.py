"""Measuring checkpoints of a run again with other settings: the same run, another ``measurement``."""

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from tauscope.specs.errors import FieldProblem, SpecError
from tauscope.specs.experiment import ExperimentSpec
from tauscope.specs.sweep import SweepSpec, apply_settings

OWN_SETTINGS = "the run's own settings"
# When a run was measured cannot be changed afterwards: which checkpoints are measured again is asked for by step.
_WHEN = ("schedule", "loss_schedule")


def remeasured(spec: ExperimentSpec, changes: Mapping[str, Any]) -> ExperimentSpec:
    """The run's spec with fields of ``measurement`` replaced, each given by its path below it, e.g. ``sampler.steps``.

    Raises:
        SpecError: if a path names nothing, a value is refused, or a change is one of when and not of how.
    """
    timed = [name for name in changes if name.partition(".")[0] in _WHEN]
    if timed:
        raise SpecError.single(timed[0], "is when a run is measured, not how", "Name the steps to measure again instead")
    try:
        settings = {f"measurement.{name}": value for name, value in changes.items()}
        sweep = apply_settings(SweepSpec(name="again", base=spec), settings, again=True)
    except SpecError as error:
        raise SpecError(_below(problem) for problem in error.problems) from error
    if sweep.axes:
        path = next(iter(sweep.axes)).removeprefix("measurement.")
        raise SpecError.single(path, "holds a list", "Give one value; ask once for each")
    return sweep.base


def check_reference(measured_as: ExperimentSpec, steps: Collection[int], kept: Collection[int], *, run: str) -> None:
    """Refuse to measure steps that need a checkpoint which the run does not have.

    Raises:
        SpecError: naming the field and the checkpoints there are.
    """
    missing = [step for step in measured_as.refers_to if step not in kept and any(step < other for other in steps)]
    if missing:
        known = ", ".join(f"{step:,}" for step in sorted(kept)) or "none yet"
        raise SpecError.single(
            "sampler.projection.reference", f"run {run} has no checkpoint of step {missing[0]:,}", f"Choose one that it has: {known}"
        )


def reference_of(changes: Mapping[str, Any]) -> int | None:
    """The step of the run's own checkpoint that a set refers to, by its changes as they are stored; ``None`` where it does to none."""
    reference = ((changes.get("sampler") or {}).get("projection") or {}).get("reference")
    return reference if isinstance(reference, int) else None


def with_changes(spec: ExperimentSpec, changes: Mapping[str, Any]) -> ExperimentSpec:
    """The run's spec with whole fields of ``measurement`` replaced, as ``changes_of`` has told them.

    Raises:
        ValidationError: if this version knows no such field.
    """
    document = spec.model_dump(mode="json")
    return type(spec).model_validate(document | {"measurement": document["measurement"] | dict(changes)})


def changes_of(spec: ExperimentSpec, other: ExperimentSpec) -> dict[str, Any]:
    """The fields of ``measurement`` in which the other spec differs, as it has them; what identifies a re-measurement."""
    own, new = (item.measurement.model_dump(mode="json") for item in (spec, other))
    return {name: _asked(new[name]) for name in sorted(new) if new[name] != own[name]}


def _asked(value: Any) -> Any:
    """Without what is off, so that an option that came later does not make another set of one that is stored."""
    return {name: inner for name, inner in value.items() if inner is not None} if isinstance(value, dict) else value


def changes_key(changes: Mapping[str, Any]) -> str:
    """The same text for the same changes."""
    return json.dumps(changes, sort_keys=True, separators=(",", ":"))


def changes_words(spec: ExperimentSpec, changes: Mapping[str, Any]) -> str:
    """What differs from the run's own measurement, in words: ``n_generated 4,096, sampler.steps 50``."""
    own = spec.measurement.model_dump(mode="json")
    told = [f"{path} {_word(value)}" for name, value in changes.items() for path, value in _leaves(name, value, own[name])]
    return ", ".join(told) or OWN_SETTINGS


def _leaves(path: str, value: Any, own: Any) -> Iterator[tuple[str, Any]]:
    """The innermost values that differ."""
    if not isinstance(value, dict) or not isinstance(own, dict):
        yield path, value
        return
    for name, inner in value.items():
        if name not in own or inner != own[name]:
            yield from _leaves(f"{path}.{name}", inner, own.get(name))


def _word(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "on", False: "off", None: "none"}[value]
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, dict):
        told = [f"{name} {_word(inner)}" for name, inner in value.items() if name != "name" and inner is not None]
        return f"{value['name']} ({'; '.join(told)})" if "name" in value and told else str(value.get("name", " ".join(told)))
    return ", ".join(map(_word, value)) if isinstance(value, list) else str(value)


def _below(problem: FieldProblem) -> FieldProblem:
    path = problem.path.removeprefix("base.").removeprefix("measurement.")
    return FieldProblem("measurement" if path == "base" else path, problem.message, problem.remedy)
