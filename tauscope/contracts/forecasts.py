"""A run's tau_mem as foretold while it is young, and how forecasts turned out."""

from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from tauscope.contracts.model import Contract
from tauscope.contracts.onsets import Onset

FORECAST_VERSION = 1  # Raised with every change of the method, so that forecasts of one method are judged together.


class Forecast(Contract):
    """tau_mem as foretold at a step, with an 80 % and a 95 % interval; without evidence there is none, and ``reason`` says why.

    Fields up to ``bound`` are in training steps, as onsets are.
    """

    step: int = Field(ge=0, description="training steps done when it was made")
    median: float | None
    low: float | None = Field(description="lower end of the 80 % interval")
    high: float | None = Field(description="upper end of the 80 % interval")
    low_95: float | None
    high_95: float | None
    bound: float = Field(0.0, description="tau_mem was known to be later than this")
    plain: float | None = Field(None, description="the plain law tau proportional to n, drawn through the pilots alone")
    n_pilots: int = Field(0, description="runs of the same configuration with a known tau_mem")
    exponent: float | None = Field(None, description="of the law tau ~ n^a that was used; None where the law was not")
    gap_level: float | None = Field(None, description="the highest level that the run's own loss gap had crossed")
    n_runs: int = Field(0, description="earlier runs of the data set that it learnt from, pilots included")
    n_configurations: int = Field(0, description="configurations among those runs")
    version: int = FORECAST_VERSION
    reason: str = Field("", description="why there is no forecast")

    @model_validator(mode="after")
    def _whole_or_none(self) -> Self:
        numbers = (self.low_95, self.low, self.median, self.high, self.high_95)
        given = [number for number in numbers if number is not None]
        if given and (len(given) < len(numbers) or given != sorted(given)):
            raise ValueError("a forecast has a median within both intervals, or no numbers at all")
        if bool(given) == bool(self.reason):
            raise ValueError("a forecast has numbers, or the reason why it has none")
        return self


class Verdict(StrEnum):
    """How a forecast's 80 % interval turned out. ``open``: tau_mem is not known yet, or the run ended before it could be."""

    INSIDE = "inside"
    EARLIER = "earlier"
    LATER = "later"
    OPEN = "open"


class KeptForecast(Forecast):
    """A forecast as it was kept on the day it was made, and its verdict by what is known now."""

    made_at: float = Field(description="Unix time, database clock")
    verdict: Verdict


class RunForecasts(Contract):
    """Every forecast of a run, oldest first, and the onset they were about."""

    run_id: str
    outcome: Onset | None = Field(description="tau_mem as it stands")
    ended: bool = Field(description="whether the run is over, so that an open verdict stays open unless it is extended")
    forecasts: tuple[KeptForecast, ...]


class Coverage(Contract):
    """How often an interval held the outcome, one forecast a run; the interval of the share is Clopper and Pearson's."""

    nominal: float
    covered: int
    count: int
    share: float | None
    low: float
    high: float


class ScoredForecast(Contract):
    """One forecast beside what happened."""

    run_id: str
    experiment_id: str
    label: str
    n_train: int
    configuration: str = Field(description="short digest of everything but n and seed")
    forecast: KeptForecast
    outcome: Onset


class ForecastScore(Contract):
    """The scored forecasts of one occasion, one a run."""

    coverage_80: Coverage
    coverage_95: Coverage
    n_configurations: int = Field(description="configurations among the scored runs; runs of one are alike, so this bounds what was tested")
    error: float | None = Field(description="mean of |log(median / tau_mem)| over the scored runs")
    error_compared: float | None = Field(description="the same over those of them that have pilots, and so a plain law")
    error_plain: float | None = Field(description="that of the plain law tau proportional to n over the same runs")
    n_compared: int = Field(description="scored runs that have a plain law")
    n_open: int = Field(description="runs that ended before tau_mem, their forecast not refuted: left out")
    n_refuted: int = Field(description="runs that ended before tau_mem, beyond their forecast's upper end: counted as missed")
    scored: tuple[ScoredForecast, ...]


class ForecastCalibration(Contract):
    """How the forecasts of all runs in the store turned out: each run's first one, and its last before tau_mem."""

    version: int
    first: ForecastScore
    last: ForecastScore
