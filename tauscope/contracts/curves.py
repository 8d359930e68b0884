"""Curves as they travel: one metric of one run, columnar."""

from pydantic import Field

from tauscope.contracts.model import Contract
from tauscope.contracts.points import MetricInfo


class Series(Contract):
    """One metric of one run, columnar, ordered by step."""

    step: tuple[int, ...]
    value: tuple[float | None, ...]
    low: tuple[float | None, ...]
    high: tuple[float | None, ...]
    count: tuple[int | None, ...]
    reason: tuple[str | None, ...]


class Curves(Contract):
    """All curves of an experiment; ``cursor`` is where the event stream goes on from here."""

    experiment_id: str
    cursor: str
    metrics: dict[str, MetricInfo]
    runs: dict[str, dict[str, Series]] = Field(description="run id to metric to series")
