"""What an experiment is: frozen pydantic models, torch-free, tagged by ``kind``; presets lie beside them as YAML."""

from tauscope.specs.denoiser import DenoiserSpec
from tauscope.specs.errors import FieldProblem, SpecError
from tauscope.specs.experiment import ExperimentSpec
from tauscope.specs.image_ddpm import ImageDdpmSpec
from tauscope.specs.kinds import KINDS
from tauscope.specs.presets import Preset, load_preset, preset_names
from tauscope.specs.sweep import ResolvedRun, SweepSpec, apply_settings, parse_sweep

__all__ = [
    "KINDS",
    "DenoiserSpec",
    "ExperimentSpec",
    "FieldProblem",
    "ImageDdpmSpec",
    "Preset",
    "ResolvedRun",
    "SpecError",
    "SweepSpec",
    "apply_settings",
    "load_preset",
    "parse_sweep",
    "preset_names",
]
