"""A form: from a sweep and what was typed to the changed sweep, and from a fault's path to the field it belongs to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from frontend.form.fields import Field, FieldFinder
from frontend.form.schema import NONE
from frontend.form.sweep import Sweep
from frontend.form.values import Axis, By, FormError, One, Setting
from tauscope.contracts.launching import KindView
from tauscope.contracts.problems import FieldError


@dataclass(frozen=True)
class Form:
    """The fields in order, the sweep they make, and what could not be read."""

    fields: tuple[Field, ...]
    document: dict[str, Any]
    faults: tuple[FieldError, ...]

    @property
    def groups(self) -> dict[str, list[Field]]:
        """The fields by heading, in the order in which the headings come up; the sweep's own come first."""
        found: dict[str, list[Field]] = {}
        for field in sorted(self.fields, key=lambda field: field.group != "Sweep"):
            found.setdefault(field.group, []).append(field)
        return found


def make_form(kind: KindView, start: Mapping[str, Any], origin: Mapping[str, Any], texts: Mapping[str, str]) -> Form:
    """The form over a sweep.

    Args:
        kind: what the sweep's base is.
        start: the sweep's document before anything was typed.
        origin: the document that changes are told against.
        texts: what was typed, by the key of the field.
    """
    fields = FieldFinder(kind, Sweep(start, kind.aliases), Sweep(origin, kind.aliases), texts).fields()
    sweep = Sweep(start, kind.aliases)
    faults: list[FieldError] = []
    settings = [(field, _read(field, faults)) for field in fields]
    # Axes come before what depends on them.
    for field, setting in sorted(settings, key=lambda item: isinstance(item[1], By)):
        if setting is not None and _counts(field, setting, sweep):
            _apply(sweep, field, setting, kind, faults)
    return Form(fields, sweep.document, tuple(faults))


def _read(field: Field, faults: list[FieldError]) -> Setting | None:
    try:
        return field.setting()
    except FormError as error:
        faults.append(error.error)
        return None


def _counts(field: Field, setting: Setting, sweep: Sweep) -> bool:
    """What was not touched stays as the sweep wrote it, except that its axis may have changed under it."""
    return field.text.strip() != field.before or (isinstance(setting, By) and sweep.setting(field.path) != setting)


def _apply(sweep: Sweep, field: Field, setting: Setting, kind: KindView, faults: list[FieldError]) -> None:
    try:
        sweep.set(field.path, _whole(sweep, field, setting, kind))
    except FormError as error:
        faults.append(error.error)


def _whole(sweep: Sweep, field: Field, setting: Setting, kind: KindView) -> Setting:
    """A variant's name stands for the variant with its defaults."""
    if not field.shape.variants:
        return setting
    _, now = sweep.find(field.path)

    def value(name: Any) -> Any:
        if name is None or name == NONE:
            return None
        if name not in field.shape.variants:
            return name
        if now is not None and field.shape.variant_of(now) == name:
            return now
        return field.shape.starting(name, kind.json_schema.get("$defs", {}))

    if isinstance(setting, One):
        return One(value(setting.value))
    return Axis(tuple(value(item) for item in setting.values)) if isinstance(setting, Axis) else setting


def field_of(fault: FieldError, fields: Sequence[Field]) -> Field | None:
    """The field that a fault belongs to: the deepest whose path is in the fault's path, or at the start of its message."""
    parts = fault.path.split(".")
    inside = [field for field in fields if _follows(field.path.split("."), parts) or field.path.rpartition(".")[2] in parts[-1:]]
    named = [field for field in fields if fault.message.startswith(field.path)]
    return max(named or inside, key=lambda field: (_follows(field.path.split("."), parts), field.path.count(".")), default=None)


def _follows(path: list[str], parts: list[str]) -> bool:
    """Whether all of ``path`` comes up in ``parts``, in order; tags and indices may stand between."""
    rest = iter(parts)
    return all(part in rest for part in path)
