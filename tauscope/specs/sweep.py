"""A sweep: one base spec, axes that vary, values that depend on an axis, and further runs; it resolves to a list of runs."""

import itertools
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from tauscope.specs.errors import FieldProblem, SpecError
from tauscope.specs.experiment import ExperimentSpec
from tauscope.specs.kinds import KINDS, AnyExperiment
from tauscope.specs.model import SpecModel

MAX_RUNS = 1000
_Values = tuple[dict[str, Any], str, dict[str, Any]]  # Of a run: its axes, where they stand, and what else it sets.


class Override(SpecModel):
    """The value of a field as a function of an axis, e.g. training steps by n_train."""

    by: str = Field(description="the axis that decides")
    values: dict[str, Any] = Field(description="axis value (as text) to field value")

    @field_validator("values", mode="before")
    @classmethod
    def _text_keys(cls, values: object) -> object:
        return {str(key): value for key, value in values.items()} if isinstance(values, Mapping) else values


@dataclass(frozen=True)
class ResolvedRun:
    """One run of a sweep: its place, the axis values that single it out, and its complete spec."""

    index: int
    params: dict[str, Any]
    spec: ExperimentSpec

    @property
    def label(self) -> str:
        """The axis values in words, e.g. ``n_train=16, seed=4``."""
        return params_text(self.params) or "single run"


class AgainSpec(SpecModel):
    """What checkpoints of the runs are measured with again, once these are over: nothing is trained for it."""

    name: str = Field(min_length=1, max_length=80, description="what the set is called")
    changes: dict[str, Any] = Field(min_length=1, description="field of `measurement`, by its path below it, to its value")
    steps: tuple[int, ...] = Field((), description="training steps; by default every checkpoint")


class SweepSpec(SpecModel):
    """An experiment: a base spec and what varies over its runs. Without axes it is a single run."""

    name: str = Field(min_length=1, max_length=80, description="what the experiment is called")
    summary: str = Field("", max_length=400, description="one sentence on what it shows")
    base: AnyExperiment
    axes: dict[str, tuple[Any, ...]] = Field(default_factory=dict, description="field path or short name to its values")
    combine: Literal["cross", "zip"] = Field("cross", description="every combination, or the axes in step")
    overrides: dict[str, Override] = Field(default_factory=dict, description="field path to its value by an axis")
    further: tuple[dict[str, Any], ...] = Field(
        (), description="runs beside the combinations, each with a value for every axis and, by path or short name, for what else it sets"
    )

    again: tuple[AgainSpec, ...] = Field(
        (), max_length=32, description="what the checkpoints of the combinations, and not of the further runs, are measured with once more"
    )

    MAX_RUNS: ClassVar[int] = MAX_RUNS

    @field_validator("axes")
    @classmethod
    def _axes_have_values(cls, axes: dict[str, tuple[Any, ...]]) -> dict[str, tuple[Any, ...]]:
        for name, values in axes.items():
            if not values:
                raise ValueError(f"axis {name} has no values | List at least one value")
            texts = [axis_text(value) for value in values]
            if len(set(texts)) != len(texts):
                raise ValueError(f"axis {name} repeats a value | List each value once")
        return axes

    @model_validator(mode="after")
    def _axes_agree(self) -> Self:
        lengths = {name: len(values) for name, values in self.axes.items()}
        if self.combine == "zip" and len(set(lengths.values())) > 1:
            raise ValueError(f"zipped axes differ in length: {lengths} | Give them equally many values or use combine: cross")
        # Counted before they are written out: a few long axes make more combinations than any memory holds.
        n_runs = math.prod(lengths.values()) if self.combine == "cross" else min(lengths.values(), default=1)
        n_runs += len(self.further)
        if n_runs > MAX_RUNS:
            raise ValueError(f"the sweep has {n_runs} runs, more than {MAX_RUNS} | Split it")
        for path, override in self.overrides.items():
            if override.by not in self.axes:
                raise ValueError(
                    f"overrides.{path}.by names {override.by!r}, which is no axis | Choose from {', '.join(self.axes) or 'no axes'}"
                )
        for place, run in enumerate(self.further):
            if missing := [name for name in self.axes if name not in run]:
                raise ValueError(f"further.{place} has no value for {', '.join(missing)} | A further run sets every axis")
        return self

    def _combinations(self) -> list[dict[str, Any]]:
        columns = list(self.axes.values())
        if not columns:
            return [{}]
        rows = zip(*columns, strict=True) if self.combine == "zip" else itertools.product(*columns)
        return [dict(zip(self.axes, values, strict=True)) for values in rows]

    def resolve(self) -> tuple[ResolvedRun, ...]:
        """Every run of the sweep, fully specified: the combinations, then the further runs that are none of them.

        Raises:
            SpecError: naming the axis or override at fault and the run in which it fails.
        """
        base = self.base.model_dump(mode="json")
        found = [(params, self._resolve_one(base, params, {}, field="axes")) for params in self._combinations()]
        self._check_again(base, found)
        for place, run in enumerate(self.further):
            params = {name: run[name] for name in self.axes}
            own = {name: value for name, value in run.items() if name not in self.axes}
            spec = self._resolve_one(base, params, own, field=f"further.{place}")
            if all(spec != other for _, other in found):
                found.append((params | self._told(own), spec))
        return tuple(ResolvedRun(index, params, spec) for index, (params, spec) in enumerate(found))

    def _check_again(self, base: dict[str, Any], runs: Sequence[tuple[dict[str, Any], ExperimentSpec]]) -> None:
        """What is measured again is checked on the runs of the combinations before any of them is trained."""
        for place, item in enumerate(self.again):
            own = {f"measurement.{name}": value for name, value in item.changes.items()}
            for params, spec in runs:
                measured_as = self._measured_as(base, params, own, field=f"again.{place}.changes")
                wanted = {*item.steps, *measured_as.refers_to}
                if strange := sorted(wanted - spec.saved_steps):
                    known = ", ".join(f"{step:,}" for step in sorted(spec.saved_steps))
                    remedy = f"Choose from {known}, or set again to []"
                    raise SpecError.single(f"again.{place}", f"no checkpoint is kept of step {strange[0]:,}", remedy)

    def _measured_as(self, base: dict[str, Any], params: dict[str, Any], own: dict[str, Any], *, field: str) -> ExperimentSpec:
        try:
            return self._resolve_one(base, params, own, field=field)
        except SpecError as error:
            # What the whole spec refuses is told of the run; here it is the changes that are at fault.
            told = ((item.path if item.path.startswith(field) else field + item.path.rpartition(")")[2], item) for item in error.problems)
            raise SpecError(FieldProblem(path, item.message, item.remedy) for path, item in told) from error

    def _told(self, own: dict[str, Any]) -> dict[str, Any]:
        """What singles a further run out beside the axes: not when it ends."""
        kind = type(self.base)
        return {name: value for name, value in own.items() if _full_path(kind, name).partition(".")[0] not in kind.ENDING}

    def _resolve_one(self, base: dict[str, Any], params: dict[str, Any], own: dict[str, Any], *, field: str) -> ExperimentSpec:
        """The spec of a run; what it sets of its own has precedence over an override."""
        kind = type(self.base)
        document = json.loads(json.dumps(base))
        for name, value in params.items():
            _set(document, _full_path(kind, name), value, field=f"{field}.{name}")
        set_here = {_full_path(kind, name) for name in own}
        for path, override in self.overrides.items():
            if _full_path(kind, path) not in set_here:
                _set(document, _full_path(kind, path), self._override_value(path, override, params), field=f"overrides.{path}")
        for name, value in own.items():
            _set(document, _full_path(kind, name), value, field=f"{field}.{name}")
        try:
            return kind.model_validate(document)
        except ValidationError as error:
            label = params_text(params | self._told(own))
            raise SpecError.from_validation(error, prefix=f"run({label})" if label else "base") from error

    @staticmethod
    def _override_value(path: str, override: Override, params: dict[str, Any]) -> Any:
        key = axis_text(params[override.by])
        if key not in override.values:
            raise SpecError.single(
                f"overrides.{path}.values", f"no value for {override.by} = {key}", f"Add an entry for {key}, or remove it from the axis"
            )
        return override.values[key]


def parse_sweep(document: object, *, again: bool = False) -> SweepSpec:
    """Validate a sweep as read from YAML or JSON, its runs included; ``again`` if these are trained and only measured again.

    Raises:
        SpecError: naming each field at fault and the remedy.
    """
    if not isinstance(document, Mapping):
        raise SpecError.single("spec", "is not a mapping of fields", "Start from a preset: tauscope presets --yaml digits-demo")
    if "base" not in document and "kind" in document:
        document = {"name": str(document["kind"]), "base": document}
    base = document.get("base")
    kind = base.get("kind", "image_ddpm") if isinstance(base, Mapping) else None
    if isinstance(base, Mapping) and kind not in KINDS:
        raise SpecError.single("base.kind", f"{kind!r} is no experiment kind", f"Choose from {', '.join(KINDS)}")
    if isinstance(base, Mapping):
        document = {**document, "base": {"kind": kind, **base}}
    try:
        sweep = SweepSpec.model_validate(dict(document))
    except ValidationError as error:
        raise SpecError.from_validation(error) from error
    for run in sweep.resolve():
        if run.spec.refers_to and not again:
            raise SpecError.single(
                "base.measurement.sampler.projection.reference",
                f"step {run.spec.refers_to[0]} is a checkpoint that a run does not have while it is trained",
                "List it under `again`, or measure the checkpoints again with it: tauscope remeasure",
            )
    return sweep


def apply_settings(sweep: SweepSpec, settings: Mapping[str, Any], *, again: bool = False) -> SweepSpec:
    """Return the sweep with fields replaced, as ``--set path=value`` does.

    A path is a sweep field (``name``), an axis, or a field of the base by its path or short name. A list for a scalar
    field makes it an axis; setting a field that an override decided removes the override.

    Raises:
        SpecError: if a path names nothing or a value is refused.
    """
    document = sweep.model_dump(mode="json")
    kind = type(sweep.base)
    for name, value in settings.items():
        path = _full_path(kind, name)
        document["overrides"] = {key: item for key, item in document["overrides"].items() if _full_path(kind, key) != path}
        axis = next((key for key in document["axes"] if _full_path(kind, key) == path), None)
        if path.partition(".")[0] in {"name", "summary", "axes", "combine", "overrides", "further", "again", "base"}:
            _set(document, path, value, field=name)
        elif isinstance(value, list) and not isinstance(_get(document["base"], path, field=name), list):
            if axis is None:
                known = _get(document["base"], path, field=name)
                document["further"] = [{name: known, **run} for run in document["further"]]
            document["axes"][axis or name] = value
        elif axis is not None:
            document["axes"][axis] = [value]
        else:
            _set(document["base"], path, value, field=name)
    return parse_sweep(document, again=again)


def _full_path(kind: type[ExperimentSpec], name: str) -> str:
    return kind.ALIASES.get(name, name)


def _get(document: dict[str, Any], path: str, *, field: str) -> Any:
    node: Any = document
    for part in path.split("."):
        if not isinstance(node, dict) or part not in node:
            known = ", ".join(node) if isinstance(node, dict) else "no fields"
            raise SpecError([FieldProblem(field, f"there is no field {part!r} here", f"Known here: {known}")])
        node = node[part]
    return node


def _set(document: dict[str, Any], path: str, value: Any, *, field: str) -> None:
    parent, _, leaf = path.rpartition(".")
    node = _get(document, parent, field=field) if parent else document
    if not isinstance(node, dict):
        raise SpecError.single(field, f"{parent!r} has no fields", "Check the path")
    if leaf not in node and not _may_add(path):
        raise SpecError.single(field, f"there is no field {leaf!r} here", f"Known here: {', '.join(node)}")
    node[leaf] = value


def _may_add(path: str) -> bool:
    """Axes and overrides are open maps, and the options of what is tagged by a name differ; validation follows anyway."""
    return path.startswith(("axes.", "overrides.", "optimizer.", "stopping.", "process.", "ema.", "dynamics."))


def params_text(params: Mapping[str, Any]) -> str:
    """Axis values in words, e.g. ``n_train=16, seed=4``; empty where nothing varies."""
    return ", ".join(f"{name}={axis_text(value)}" for name, value in params.items())


def axis_text(value: Any) -> str:
    """A short, unambiguous text for an axis value; a tagged object goes by its name where that says it all."""
    if isinstance(value, Mapping):
        return json.dumps(value, sort_keys=True) if set(value) - {"name"} else str(value["name"])
    return json.dumps(value) if isinstance(value, (list, tuple, bool)) else str(value)
