"""What can be launched, and how long it would take."""

from typing import Any

from pydantic import Field

from tauscope.contracts.model import Contract


class KindView(Contract):
    """An experiment kind: everything a form needs to offer it."""

    name: str
    title: str
    description: str
    json_schema: dict[str, Any] = Field(
        description="JSON Schema of the kind's spec; beside the standard keys a field may have unit, group, advanced and examples"
    )
    aliases: dict[str, str] = Field(description="short name to the path it stands for")
    defaults: dict[str, Any] | None = Field(description="the spec with every field at its default; none where a field has no default")


class Estimate(Contract):
    """Expected durations on the slots of the workers that were heard of lately, from earlier runs."""

    seconds: float = Field(description="from the first start to the last end, when nothing else is under way")
    low: float
    high: float = Field(description="low and high: by the spread of earlier runs around what would have been said of them")
    runs: tuple[float, ...] = Field(description="seconds of each run, in the order of the plan")
    slots: tuple[tuple[int, ...], ...] = Field(description="which runs each slot computes, in order")
    past_runs: int = Field(description="how many earlier runs it rests on")
    source: str = Field(description="what it rests on, in words")
