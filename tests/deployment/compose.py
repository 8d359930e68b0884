"""docker-compose.yml as a container runtime reads it: anchors and variables resolved."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
_VARIABLE = re.compile(r"\$(?:(?P<dollar>\$)|\{(?P<name>\w+)(?P<rule>:[-?])?(?P<text>[^}]*)\})")


class MissingVariableError(Exception):
    """A variable without a default is not set; the message is the file's own."""


def read_compose(variables: Mapping[str, str], path: Path = ROOT / "docker-compose.yml") -> dict[str, Any]:
    """The file with every ``${NAME}``, ``${NAME:-default}`` and ``${NAME:?message}`` replaced, and ``$$`` by ``$``.

    Raises:
        MissingVariableError: if a variable with ``:?`` is unset or empty.
    """
    document: dict[str, Any] = _resolve(yaml.safe_load(path.read_text()), variables)
    return document


def _resolve(value: Any, variables: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _resolve(item, variables) for key, item in value.items()}
    if isinstance(value, list):
        return [_resolve(item, variables) for item in value]
    return _VARIABLE.sub(lambda found: _substitute(found, variables), value) if isinstance(value, str) else value


def _substitute(found: "re.Match[str]", variables: Mapping[str, str]) -> str:
    if found["dollar"]:
        return "$"
    value = variables.get(found["name"], "")
    if not value and found["rule"] == ":?":
        raise MissingVariableError(f"{found['name']}: {found['text']}")
    return value or (found["text"] if found["rule"] == ":-" else "")
