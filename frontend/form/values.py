"""What is typed into a field: one value, a list of values (an axis), a range, or values that depend on an axis.

``64`` · ``8, 16, 32`` · ``8..64 x2`` · ``0..6 +2`` · ``450, 1100, 2400 by n`` · ``none`` · ``{name: adam, lr: 0.001}``
"""

import json
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from tauscope.contracts.problems import FieldError

MAX_VALUES = 1000
_INT, _FLOAT = re.compile(r"[+-]?\d+"), re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_RANGE = re.compile(rf"({_FLOAT.pattern}?)\s*\.\.\s*({_FLOAT.pattern})(?:\s*([x×*+])\s*({_FLOAT.pattern}))?")
_BY = re.compile(r"(.*\S)\s+by\s+([\w.]+)", re.DOTALL)
_WORDS = {"true": True, "false": False, "none": None, "null": None}
_PLAIN = re.compile(r"[^\s,\[\]{}\"'#:][^,\[\]{}\"'#:]*")


@dataclass(frozen=True)
class One:
    """The same value in every run."""

    value: Any


@dataclass(frozen=True)
class Axis:
    """A value for each run along an axis."""

    values: tuple[Any, ...]


@dataclass(frozen=True)
class By:
    """A value for each value of another axis: in its order, or written out as a mapping from its values."""

    axis: str
    values: tuple[Any, ...] | dict[str, Any]


Setting = One | Axis | By


class FormError(ValueError):
    """A text that cannot be read; ``error`` names the field and the remedy."""

    def __init__(self, path: str, message: str, remedy: str) -> None:
        super().__init__(message)
        self.error = FieldError(path=path, message=message, remedy=remedy)


def parse(path: str, text: str, *, is_list: bool = False, is_text: bool = False) -> Setting:
    """Read a field's text; ``is_list``: one value is itself a list; ``is_text``: values are strings, whatever they look like.

    Raises:
        FormError: with what cannot be read and an example.
    """
    by = _BY.fullmatch(text.strip())
    if by:
        values = _values(path, by[1], is_list, is_text)
        written_out = len(values) == 1 and isinstance(values[0], dict)
        return By(by[2], {str(key): value for key, value in values[0].items()} if written_out else tuple(values))
    values = _values(path, text, is_list, is_text)
    return One(values[0]) if len(values) == 1 else Axis(tuple(values))


def _values(path: str, text: str, is_list: bool, is_text: bool) -> list[Any]:
    tokens = list(_tokens(path, text))
    values = [value for token in tokens for value in _token(path, token, is_text)]
    if not is_list or values == [None]:
        return values
    nested = [isinstance(value, list) for value in values]
    if any(nested) and not all(nested):
        raise FormError(path, "mixes lists and single values", "Write one list as 1, 2, 4 and several as [1, 2], [1, 2, 4]")
    return values if any(nested) else [values]


def _tokens(path: str, text: str) -> Iterator[str]:
    """The parts between commas that stand outside brackets and quotes."""
    depth, quote, start = 0, "", 0
    for position, sign in enumerate(text):
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "\"'":
            quote = sign
        elif sign in "[]{}":
            depth += 1 if sign in "[{" else -1
        elif sign == "," and depth == 0:
            yield _filled(path, text[start:position])
            start = position + 1
    if depth or quote:
        raise FormError(path, "a bracket or quote is not closed", "Close it, or write for example 16, 32, 64")
    yield _filled(path, text[start:])


def _filled(path: str, token: str) -> str:
    if not token.strip():
        raise FormError(path, "a value is missing", "Write one value, or several as 16, 32, 64")
    return token.strip()


def _token(path: str, token: str, is_text: bool) -> list[Any]:
    if token[0] in "\"'[{":
        return [_flow(path, token)]
    if token.lower() in ("none", "null"):
        return [None]
    if is_text:
        return [token]
    span = _RANGE.fullmatch(token)
    return _range(path, *span.group(1, 4, 7, 8)) if span else [_scalar(token)]


def _flow(path: str, token: str) -> Any:
    try:
        return yaml.safe_load(token)
    except yaml.YAMLError as error:
        raise FormError(path, f"{token!r} cannot be read", "Write a list as [1, 2, 4] and an object as {name: adam, lr: 0.001}") from error


def _scalar(token: str) -> Any:
    if token.lower() in _WORDS:
        return _WORDS[token.lower()]
    if _INT.fullmatch(token):
        return int(token)
    return float(token) if _FLOAT.fullmatch(token) else token


def _range(path: str, first: str, last: str, sign: str | None, amount: str | None) -> list[Any]:
    start, end, by = _scalar(first), _scalar(last), _scalar(amount) if amount else 1
    grows = by > 1 and start > 0 if sign not in (None, "+") else by > 0
    if end < start or not grows:
        raise FormError(path, f"{first}..{last} does not lead upwards", "Write 8..64 x2 for 8, 16, 32, 64 or 0..6 +2 for 0, 2, 4, 6")

    def step(count: int) -> Any:
        return start * by**count if sign not in (None, "+") else start + by * count

    return list(_up_to(path, step, end))


def _up_to(path: str, step: Callable[[int], Any], end: float) -> Iterator[Any]:
    for count in range(MAX_VALUES + 1):
        # A hair of room, so that 0.1..0.3 +0.1 ends at 0.3.
        if step(count) > end * (1 + 1e-9):
            return
        yield step(count) if isinstance(step(count), int) else float(f"{step(count):.12g}")
    raise FormError(path, f"the range has more than {MAX_VALUES:,} values", "Take larger steps")


def write(setting: Setting, *, is_list: bool = False, is_text: bool = False) -> str:
    """The text that ``parse`` reads as this setting."""
    if isinstance(setting, One) and is_list and isinstance(setting.value, list) and setting.value:
        return ", ".join(_text(value, False) for value in setting.value)
    if isinstance(setting, By) and isinstance(setting.values, dict):
        return f"{_text(setting.values, False)} by {setting.axis}"
    values: Sequence[Any] = (setting.value,) if isinstance(setting, One) else tuple(setting.values)
    text = ", ".join(_text(value, is_text) for value in values)
    return f"{text} by {setting.axis}" if isinstance(setting, By) else text


def _text(value: Any, is_text: bool) -> str:
    if value is None or isinstance(value, bool):
        return {None: "none", True: "true", False: "false"}[value]
    if isinstance(value, str):
        ambiguous = " by " in value or value.lower() in _WORDS or (not is_text and (not isinstance(_scalar(value), str) or ".." in value))
        return json.dumps(value, ensure_ascii=False) if ambiguous or not _PLAIN.fullmatch(value) else value
    if isinstance(value, (list, dict)):
        return yaml.safe_dump(value, default_flow_style=True, width=math.inf, sort_keys=False, allow_unicode=True).strip()
    return str(value)
