"""A sweep as YAML and as a command line, and where in the YAML a fault lies."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from tauscope.contracts.problems import FieldError


class YamlError(ValueError):
    """Text that is no sweep; ``error`` names the line and the remedy."""

    def __init__(self, message: str, remedy: str, line: int | None = None) -> None:
        super().__init__(message)
        self.error = FieldError(path=f"line {line}" if line else "YAML", message=message, remedy=remedy)


def as_yaml(sweep: Mapping[str, Any]) -> str:
    """A sweep as text, in the order of its fields."""
    return yaml.safe_dump(dict(sweep), sort_keys=False, allow_unicode=True, default_flow_style=None, width=100)


def read_yaml(text: str) -> dict[str, Any]:
    """The document that a text holds.

    Raises:
        YamlError: if it is no mapping, or no YAML at all; with the line where that is known.
    """
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        problem = getattr(error, "problem", None) or "this is not YAML"
        raise YamlError(str(problem), "Mend this line, or the one before it", mark.line + 1 if mark else None) from error
    if not isinstance(document, dict):
        raise YamlError("this is not a mapping of fields", "Start from a preset")
    return document


def line_of(text: str, path: str) -> int | None:
    """The line, from 1, of the deepest part of a fault's path that the text has."""
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    parts = path.split(".")
    # A run's path has no "base" in front: run(n_train=1).dataset.n_train.
    inside = [_depth(node, ["base", *parts[-count:]]) for count in (3, 2, 1)]
    return max([_depth(node, parts), *(found for found in inside if found[0] > 1)], key=lambda found: found[0])[1]


def _depth(node: yaml.Node | None, parts: list[str]) -> tuple[int, int | None]:
    line: int | None = None
    for depth, part in enumerate(parts):
        found = _child(node, part)
        if found is None:
            return depth, line
        key, node = found
        line = key.start_mark.line + 1
    return len(parts), line


def _child(node: yaml.Node | None, name: str) -> tuple[yaml.Node, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        return next(((key, value) for key, value in node.value if key.value == name), None)
    if isinstance(node, yaml.SequenceNode) and name.isdigit() and int(name) < len(node.value):
        return node.value[int(name)], node.value[int(name)]
    return None


def as_command(sweep: Mapping[str, Any], *, preset: str | None, origin: Mapping[str, Any], further: Sequence[str] = ()) -> str:
    """The command that launches the same sweep: a preset with its changes, or a file of the YAML; ``further`` options follow."""
    if preset is None:
        return " ".join(["tauscope launch sweep.yaml", *further])
    options = [f"--set {shlex.quote(f'{path}={_flow(value)}')}" for path, value in _changes(sweep, origin)]
    return " ".join(["tauscope launch", shlex.quote(preset), *options, *further])


def _changes(sweep: Mapping[str, Any], origin: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """What differs, as deep as both have the same fields; axes and overrides are given whole."""
    for name, value in sweep.items():
        here, before = f"{path}{name}", origin.get(name)
        if value == before:
            continue
        whole = here in ("axes", "overrides") or not isinstance(value, dict) or not isinstance(before, dict) or set(value) != set(before)
        yield from [(here, value)] if whole else _changes(value, before if isinstance(before, dict) else {}, f"{here}.")


def _flow(value: Any) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, allow_unicode=True, width=10**6).strip()
    return text.removesuffix("\n...").strip()
