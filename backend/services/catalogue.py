"""What can be launched: presets, data sets, and the schema of specs."""

from typing import Any

from backend.services.context import Context
from backend.services.errors import UnknownPresetError
from backend.services.requirements import requirements
from tauscope.contracts.experiments import PresetView
from tauscope.specs import SweepSpec, load_preset, preset_names


def presets(context: Context) -> tuple[PresetView, ...]:
    """Every preset, by name."""
    return tuple(preset(context, name) for name in preset_names())


def preset(context: Context, name: str) -> PresetView:
    """One preset.

    Raises:
        UnknownPresetError: listing those there are.
    """
    if name not in preset_names():
        raise UnknownPresetError(f"There is no preset {name}", f"Choose from {', '.join(preset_names())}")
    found = load_preset(name)
    runs = found.sweep.resolve()
    lacks = dict.fromkeys(lack for run_lacks in requirements(context, runs) for lack in run_lacks)
    return PresetView(name=name, summary=found.sweep.summary, yaml=found.text, n_runs=len(runs), requirements=tuple(lacks))


def spec_schema() -> dict[str, Any]:
    """The JSON Schema of a sweep."""
    return SweepSpec.model_json_schema()
