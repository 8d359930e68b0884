"""What can be launched: presets, data sets, and the schema of specs."""

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError
from sqlalchemy.orm import Session

from backend.services.context import Context
from backend.services.durations import History
from backend.services.errors import UnknownPresetError
from backend.services.requirements import requirements
from backend.storage.durations import finished_sweep
from backend.storage.reading import reading
from tauscope.contracts.experiments import PresetView
from tauscope.contracts.launching import KindView
from tauscope.datasets import DATASETS
from tauscope.specs import KINDS, ExperimentSpec, SweepSpec, load_preset, preset_names

# The registries whose names a field may take; see ``tauscope.specs.shown``.
_REGISTRIES = {"datasets": DATASETS}


def presets(context: Context) -> tuple[PresetView, ...]:
    """Every preset, by name."""
    with reading(context.sessions) as session:
        history = History(session)
        return tuple(_preset(context, name, history, session) for name in preset_names())


def preset(context: Context, name: str) -> PresetView:
    """One preset.

    Raises:
        UnknownPresetError: listing those there are.
    """
    if name not in preset_names():
        raise UnknownPresetError(f"There is no preset {name}", f"Choose from {', '.join(preset_names())}")
    with reading(context.sessions) as session:
        return _preset(context, name, History(session), session)


def _preset(context: Context, name: str, history: History, session: Session) -> PresetView:
    found = load_preset(name)
    runs = found.sweep.resolve()
    lacks = tuple(dict.fromkeys(lack for run_lacks in requirements(context, runs) for lack in run_lacks))
    before = finished_sweep(session, found.sweep.model_dump(mode="json"))
    return PresetView(
        name=name,
        summary=found.sweep.summary,
        yaml=found.text,
        n_runs=len(runs),
        kind=found.sweep.base.kind,
        requirements=lacks,
        # What cannot run here has no duration here.
        estimate=None if lacks else history.estimate(runs)[0],
        measured=before.id if before else None,
        measured_seconds=before.seconds if before else None,
    )


def spec_schema() -> dict[str, Any]:
    """The JSON Schema of a sweep."""
    return SweepSpec.model_json_schema()


def kinds(registered: Sequence[str] = ()) -> tuple[KindView, ...]:
    """Every experiment kind with the schema of its spec; ``registered`` are data sets that fields may name too."""
    return tuple(_kind(name, spec, registered) for name, spec in KINDS.items())


def _kind(name: str, spec: type[ExperimentSpec], registered: Sequence[str]) -> KindView:
    schema = spec.model_json_schema()
    for model in (schema, *schema.get("$defs", {}).values()):
        for field in model.get("properties", {}).values():
            if field.get("choices") in _REGISTRIES:
                field["examples"] = [*(registered if field["choices"] == "datasets" else ()), *_REGISTRIES[field["choices"]]]
    purpose = (spec.__doc__ or "").strip().partition("\n")[0]
    return KindView(
        name=name,
        title=name.replace("_", " "),
        description=purpose,
        json_schema=schema,
        aliases=spec.ALIASES,
        defaults=_defaults(spec),
    )


def _defaults(spec: type[ExperimentSpec]) -> dict[str, Any] | None:
    try:
        return spec.model_validate({}).model_dump(mode="json")
    except ValidationError:
        return None  # A field of this kind has no default: its presets are where to start.
