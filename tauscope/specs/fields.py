"""The fields of a spec one by one, named as forms name them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from tauscope.specs.features import FeatureSpec

BETWEEN = " · "


@dataclass(frozen=True)
class FieldValue:
    """A field's value with its path, its title under those it stands in, and its unit."""

    path: str
    title: str
    unit: str
    value: Any


def field_values(spec: BaseModel, *, path: str = "", title: str = "") -> list[FieldValue]:
    """Every leaf of a spec in the order of its form; a tagged object's own name goes by the title of its field."""
    found: list[FieldValue] = []
    for name, info in type(spec).model_fields.items():
        value, where = getattr(spec, name), f"{path}.{name}".lstrip(".")
        label = BETWEEN.join(part for part in (title, info.title or ("" if name == "name" and title else name)) if part)
        if isinstance(value, BaseModel):
            found += field_values(value, path=where, title=label)
        elif isinstance(value, tuple) and value and all(isinstance(item, FeatureSpec) for item in value):
            for item in value:
                found += field_values(item, path=f"{where}.{item.key}", title=BETWEEN.join((label, item.key)))
        else:
            extra = info.json_schema_extra if isinstance(info.json_schema_extra, Mapping) else {}
            found.append(FieldValue(where, label, str(extra.get("unit", "")), value))
    return found


def raw_values(document: Mapping[str, Any], *, path: str = "") -> list[FieldValue]:
    """Every leaf of a document that is no valid spec, under its path for want of a title."""
    found: list[FieldValue] = []
    for name, value in document.items():
        where = f"{path}.{name}".lstrip(".")
        found += raw_values(value, path=where) if isinstance(value, Mapping) else [FieldValue(where, where, "", value)]
    return found
