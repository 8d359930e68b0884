"""Reading a JSON Schema: references, what may be nothing, and the variants among which a tag chooses."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]
NONE = "none"
ON = "on"  # The variant of a model without a tag that may also be nothing.


def resolved(schema: Schema, definitions: Schema) -> dict[str, Any]:
    """The schema with its reference followed; what stands beside the reference comes first."""
    while "$ref" in schema:
        target = definitions[str(schema["$ref"]).rpartition("/")[2]]
        schema = {**target, **{key: value for key, value in schema.items() if key != "$ref"}}
    return dict(schema)


@dataclass(frozen=True)
class Shape:
    """One property: its schema without the ``null``, whether it may be nothing, and its variants by tag."""

    schema: dict[str, Any]
    nullable: bool
    variants: dict[str, dict[str, Any]]
    tag: str | None

    @property
    def is_model(self) -> bool:
        """Whether it has fields of its own and no choice to make."""
        return bool(self.schema.get("properties")) and not self.variants

    @property
    def is_list(self) -> bool:
        return self.schema.get("type") == "array"

    @property
    def is_text(self) -> bool:
        return self.schema.get("type") == "string"

    @property
    def options(self) -> tuple[str, ...]:
        """The values that are worth offering, as they are typed; the last may be all of them."""
        if self.variants:
            return (*_one_or_all(list(self.variants)), *((NONE,) if self.nullable else ()))
        if self.schema.get("type") == "boolean":
            return _one_or_all(["true", "false"])
        if "enum" in self.schema:
            return _one_or_all([str(value) for value in self.schema["enum"]])
        if "const" in self.schema:
            return _one_or_all([str(self.schema["const"]), *([NONE] if self.nullable else [])])
        return tuple(str(value) for value in self.schema.get("examples", ()))

    def variant_of(self, value: Any) -> str:
        """The variant that a value is of."""
        if value is None:
            return NONE
        return str(value.get(self.tag, "")) if self.tag and isinstance(value, Mapping) else ON

    def starting(self, variant: str, definitions: Schema) -> Any:
        """The value of a variant with every default in place."""
        if variant == NONE:
            return None
        defaults = defaults_of(self.variants[variant], definitions)
        return {self.tag: variant, **defaults} if self.tag else defaults


def _one_or_all(values: list[str]) -> tuple[str, ...]:
    """Each alone, and all of them as an axis."""
    return (*values, ", ".join(values)) if len(values) > 1 else tuple(values)


def shape_of(schema: Schema, definitions: Schema) -> Shape:
    """What a property is, as far as a form can offer it."""
    found = resolved(schema, definitions)
    choices = [choice for choice in found.get("anyOf", ()) if choice.get("type") != "null"]
    nullable = len(choices) < len(found.get("anyOf", ()))
    if len(choices) == 1:
        found = {**resolved(choices[0], definitions), **{key: value for key, value in found.items() if key != "anyOf"}}
    tag = found.get("discriminator", {}).get("propertyName")
    variants = {name: resolved({"$ref": target}, definitions) for name, target in found.get("discriminator", {}).get("mapping", {}).items()}
    if nullable and found.get("properties"):
        variants = {ON: found}
    return Shape(found, nullable, variants, tag)


def defaults_of(schema: Schema, definitions: Schema) -> dict[str, Any]:
    """The value of every property that has a default."""
    found = {}
    for name, item in schema.get("properties", {}).items():
        shape = shape_of(item, definitions)
        if "default" in shape.schema:
            found[name] = shape.schema["default"]
        elif shape.is_model:
            found[name] = defaults_of(shape.schema, definitions)
        elif "const" in shape.schema:
            found[name] = shape.schema["const"]
    return found
