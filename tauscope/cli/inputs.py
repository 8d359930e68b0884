"""Reading what the user typed: a preset's name or a file, and ``--set`` options."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from tauscope.contracts.runs import QUEUE_PATTERN
from tauscope.specs import SpecError, SweepSpec, load_preset, parse_sweep


def read_sweep(source: str) -> SweepSpec:
    """A preset by name, or a YAML file by path.

    Raises:
        SpecError: if there is neither, or the file is no valid sweep.
    """
    path = Path(source)
    if path.suffix not in {".yaml", ".yml", ".json"}:
        return load_preset(source).sweep
    try:
        return parse_sweep(yaml.safe_load(path.read_text()))
    except FileNotFoundError as error:
        raise SpecError.single(source, "there is no such file", "Check the path, or name a preset: tauscope presets") from error
    except yaml.YAMLError as error:
        raise SpecError.single(source, f"is not valid YAML ({error})", "Mend the line it names") from error


def parse_settings(settings: Sequence[str]) -> dict[str, Any]:
    """``path=value`` options to a mapping; values are read as YAML.

    Raises:
        SpecError: for an option without ``=``.
    """
    parsed = {}
    for setting in settings:
        path, equals, value = setting.partition("=")
        if not equals or not path:
            raise SpecError.single("--set", f"{setting!r} has no value", "Write it as path=value, e.g. --set steps=200")
        parsed[path.strip()] = yaml.safe_load(value)
    return parsed


def queue_name(name: str) -> str:
    """The name of a queue.

    Raises:
        SpecError: if no queue can be called so.
    """
    if not re.fullmatch(QUEUE_PATTERN, name):
        raise SpecError.single("--queue", f"{name!r} is no name of a queue", "Use at most 40 small letters, digits and hyphens, e.g. gpu")
    return name
