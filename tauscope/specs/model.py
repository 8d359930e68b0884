"""The base of every spec model."""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict


class SpecModel(BaseModel):
    """Frozen, and closed: a misspelt field is an error, never a silent default."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def named_by_default(name: str) -> Callable[[Any], Any]:
    """For a union tagged by ``name`` that once was a single model: a document without the tag is of that model."""
    return lambda value: {"name": name, **value} if isinstance(value, Mapping) else value
