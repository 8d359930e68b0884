"""A field as forms show it: title, unit and heading travel inside the JSON Schema, so that no form is written by hand."""

from typing import Any

from pydantic import Field

# The headings of a form, in their order.
SWEEP, DATA, TRAINING, MEASUREMENT = "Sweep", "Data and network", "Training", "Measurement"


def shown(default: Any, title: str, description: str = "", *, unit: str = "", advanced: bool = False, **more: Any) -> Any:
    """A pydantic field with what a form needs beside its type.

    Args:
        default: the value where none is given; ``...`` where there is none.
        title: the label, in the field's words.
        description: one clause that explains it.
        unit: what one unit of the value is, e.g. ``pixels``.
        advanced: folded away until asked for, with everything inside it.
        more: ``group``, the heading under which the field and everything inside it stands; ``choices``, the registry
            whose names may be given, e.g. ``datasets`` (the service adds them as ``examples``); ``hidden``, for what the
            service fills in and nobody types; and pydantic's own bounds.
    """
    hints = {"unit": unit, "advanced": advanced, "group": more.pop("group", ""), "choices": more.pop("choices", "")}
    hints["hidden"] = more.pop("hidden", False)
    extra = {key: value for key, value in hints.items() if value}
    return Field(default, title=title, description=description or None, json_schema_extra=extra, **more)
