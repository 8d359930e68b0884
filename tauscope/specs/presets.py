"""Presets: sweeps that come with the library, one YAML file each."""

from dataclasses import dataclass
from importlib.resources import files

import yaml

from tauscope.specs.errors import SpecError
from tauscope.specs.sweep import SweepSpec, parse_sweep


@dataclass(frozen=True)
class Preset:
    """A preset's sweep and the YAML text it was read from, comments and all."""

    name: str
    sweep: SweepSpec
    text: str


def preset_names() -> tuple[str, ...]:
    """The names of all presets, sorted."""
    folder = files("tauscope.specs") / "presets"
    return tuple(sorted(entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml")))


def load_preset(name: str) -> Preset:
    """Read a preset.

    Raises:
        SpecError: if there is none of that name; the remedy lists those there are.
    """
    if name not in preset_names():
        raise SpecError.single("preset", f"there is no preset {name!r}", f"Choose from {', '.join(preset_names())}")
    text = (files("tauscope.specs") / "presets" / f"{name}.yaml").read_text(encoding="utf-8")
    return Preset(name, parse_sweep(yaml.safe_load(text)), text)
