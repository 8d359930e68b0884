"""The fields of a form: found by walking a kind's schema along what is typed, each with its text before and now."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from frontend.form.schema import Shape, shape_of
from frontend.form.sweep import Sweep
from frontend.form.values import FormError, One, Setting, parse, write
from tauscope.contracts.launching import KindView

SWEEP = "Sweep"
_OTHER = "Further"


@dataclass(frozen=True)
class Field:
    """One input.

    ``key`` tells the variants of a path apart. ``before`` is the text that the sweep started with, ``origin`` that of the
    preset or the experiment it was taken from (``None`` where that has no such field), ``text`` what stands there now.
    """

    key: str
    path: str
    title: str
    parent: str
    group: str
    advanced: bool
    shape: Shape
    before: str
    text: str
    origin: str | None

    @property
    def changed(self) -> bool:
        """Whether it says something else than the origin, however it is written."""
        if self.origin is None or self.text.strip() == self.origin:
            return False
        try:
            return self.setting() != replace(self, text=self.origin).setting()
        except FormError:
            return True

    @property
    def unit(self) -> str:
        return str(self.shape.schema.get("unit", ""))

    @property
    def help(self) -> str:
        """What the field means, its bounds and its default."""
        schema = self.shape.schema
        bounds = [f"{words} {schema[key]:,}" for key, words in _BOUNDS.items() if key in schema]
        default = [f"default {write(One(schema['default']), is_list=self.shape.is_list)}"] if self._has_plain_default else []
        facts = ", ".join([*bounds, *default])
        return " ".join(f"{part[0].upper()}{part[1:].rstrip('.')}." for part in (str(schema.get("description", "")), facts) if part)

    @property
    def _has_plain_default(self) -> bool:
        return "default" in self.shape.schema and not self.shape.variants

    def setting(self) -> Setting:
        """What is typed.

        Raises:
            FormError: if it cannot be read.
        """
        if not self.text.strip() and (self.shape.nullable or self.shape.is_text):
            return One(None if self.shape.nullable else "")
        return parse(self.path, self.text, is_list=self.shape.is_list, is_text=self.shape.is_text)


_BOUNDS = {"minimum": "at least", "exclusiveMinimum": "above", "maximum": "at most", "exclusiveMaximum": "below"}


@dataclass(frozen=True)
class _Place:
    """Where a walk stands: the path, what the fields there inherit, and the value that the sweep has there."""

    path: str
    suffix: str
    title: str
    group: str
    advanced: bool
    value: Any


class FieldFinder:
    """Walks one kind's schema over a sweep and its origin."""

    def __init__(self, kind: KindView, sweep: Sweep, origin: Sweep, texts: Mapping[str, str]) -> None:
        self._definitions = kind.json_schema.get("$defs", {})
        self._schema = kind.json_schema
        self._sweep, self._origin, self._texts = sweep, origin, texts

    def fields(self) -> tuple[Field, ...]:
        """Every field, in the order of the schema; those of variants that are not chosen are left out."""
        start = _Place("", "", "", _OTHER, False, self._sweep.base)
        found = [*self._walk(self._schema, start)]
        known = {field.path for field in found}
        found += [self._field(_Place(path, "", path, SWEEP, False, None), _FREE) for path in self._sweep.paths if path not in known]
        return tuple(_distinct(found))

    def _walk(self, schema: Mapping[str, Any], around: _Place) -> Iterator[Field]:
        for name, item in schema.get("properties", {}).items():
            shape = shape_of(item, self._definitions)
            if ("const" not in shape.schema or shape.nullable) and not shape.schema.get("hidden"):
                yield from self._property(name, shape, around)

    def _property(self, name: str, shape: Shape, around: _Place) -> Iterator[Field]:
        schema = shape.schema
        values = around.value if isinstance(around.value, Mapping) else {}
        here = replace(
            around,
            path=f"{around.path}.{name}".removeprefix("."),
            group=schema.get("group", around.group),
            advanced=around.advanced or bool(schema.get("advanced")),
            value=values.get(name, schema.get("default")),
        )
        if shape.is_model and here.path not in self._sweep.paths:
            yield from self._walk(schema, replace(here, title=str(schema.get("title", name))))
            return
        field = self._field(replace(here, title=around.title), shape, str(schema.get("title", name)))
        yield field
        yield from self._variant(field, here)

    def _variant(self, field: Field, here: _Place) -> Iterator[Field]:
        chosen = field.text.strip()
        if chosen not in field.shape.variants:
            return
        same = field.shape.variant_of(here.value) == chosen
        value = here.value if same else field.shape.starting(chosen, self._definitions)
        inside = replace(here, suffix=f"{here.suffix}@{chosen}", title=field.title, value=value)
        yield from self._walk(field.shape.variants[chosen], inside)

    def _field(self, here: _Place, shape: Shape, title: str | None = None) -> Field:
        key = here.path + here.suffix
        before = self._text(self._sweep, here.path, shape, here.value)
        return Field(
            key=key,
            path=here.path,
            title=title or here.title,
            parent=here.title,
            group=here.group,
            advanced=here.advanced,
            shape=shape,
            before=before,
            text=self._texts.get(key, before),
            origin=self._origin_text(here.path, shape),
        )

    def _origin_text(self, path: str, shape: Shape) -> str | None:
        has, value = self._origin.find(path)
        return self._text(self._origin, path, shape, value) if has or path in self._origin.paths else None

    @staticmethod
    def _text(sweep: Sweep, path: str, shape: Shape, value: Any) -> str:
        setting = sweep.setting(path)
        if setting is None and shape.variants:
            return shape.variant_of(value)
        return write(setting or One(value), is_list=shape.is_list, is_text=shape.is_text)


_FREE = Shape({"description": "an axis or override that no other field shows"}, False, {}, None)


def _distinct(fields: list[Field]) -> Iterator[Field]:
    """A title that several fields have is told apart by the model around it."""
    counts = Counter(field.title for field in fields)
    for field in fields:
        yield replace(field, title=f"{field.parent}: {field.title}") if counts[field.title] > 1 and field.parent else field
