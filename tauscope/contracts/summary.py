"""The result of an experiment in one object: what ``--json`` prints, ``summary.json`` holds and the API returns."""

from typing import Any

from pydantic import Field

from tauscope.contracts.model import Contract
from tauscope.contracts.onsets import Onset, PowerLawFit


class RunSummary(Contract):
    """One run: its axis values, onsets, and the last value of every metric but those in many parts (spectrum, loss grid).

    ``final`` holds, for each metric, its last value under the metric's name, its interval under ``<metric>_low`` and
    ``<metric>_high``, and its count under ``<metric>_count``; beside them ``n_generated`` and ``step``.
    """

    id: str = Field(description="the run's id, or its folder where it ran without a service")
    params: dict[str, Any]
    state: str
    onsets: dict[str, Onset]
    markers: dict[str, Onset] = Field(
        default_factory=dict, description="what stands beside the onsets: tau_test, tau_split, tau_mem~ema0.1 of further averages"
    )
    final: dict[str, float | int | None]
    seconds: float
    reason: str = ""


class ExperimentSummary(Contract):
    """All runs of an experiment and the laws fitted over them."""

    experiment: str
    code_version: str
    runs: tuple[RunSummary, ...]
    fits: dict[str, PowerLawFit]
