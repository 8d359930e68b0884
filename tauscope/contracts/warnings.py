"""Early warnings: when a probe passed its level, what that level was calibrated on, and how good it proved."""

from enum import StrEnum

from pydantic import Field

from tauscope.contracts.model import Contract
from tauscope.contracts.onsets import Onset
from tauscope.contracts.points import MetricInfo


class Outcome(StrEnum):
    """What became of a warning in a run that is over.

    ``early``: raised before tau_mem. ``late``: raised at tau_mem or after. ``missed``: not raised, though tau_mem was reached.
    ``false``: raised, and no copying by the last step, or only after more than ``most_early`` times as long. ``quiet``: neither.
    ``undecided``: raised, no copying by the last step, but that came before ``most_early`` times as long: it may yet be right.
    """

    EARLY = "early"
    LATE = "late"
    MISSED = "missed"
    FALSE = "false"
    QUIET = "quiet"
    UNDECIDED = "undecided"


class Lead(Contract):
    """tau_mem over tau_warning with its 95 % interval; above 1 the warning came first."""

    value: float
    low: float | None = Field(None, description="no interval where there are fewer than six runs")
    high: float | None = None
    count: int = Field(1, description="runs in which both were reached")


class FalseAlarms(Contract):
    """The share of runs whose warning was false, with its 95 % Clopper-Pearson interval."""

    value: float
    low: float
    high: float
    count: int = Field(description="runs that were judged; undecided ones are not")


class ProbeCalibration(Contract):
    """The level of one probe on one data set, and how it did on runs it was not chosen from."""

    dataset: str
    size: int = Field(description="image size in pixels")
    tau_mem_level: float = Field(description="the level of f_mem minus control that defines tau_mem")
    metric: str
    level: float | None = Field(description="chosen from all runs; None with the reason in note")
    falling: bool = Field(False, description="the warning is raised when the probe falls to its level")
    runs: int = Field(description="finished runs with this probe and a known tau_mem, each seed of a configuration once")
    configurations: int = Field(description="how many differ in more than their seed")
    most_false: float = Field(description="the share of false alarms that the level may give among the runs it is chosen from")
    most_early: float = Field(description="a warning more than so many times before tau_mem is a false alarm")
    outcomes: dict[Outcome, int] = Field(default_factory=dict, description="each run judged at the level of the other configurations")
    false_alarms: FalseAlarms | None = None
    lead: Lead | None = Field(None, description="median over runs")
    note: str = ""


class RunWarning(Contract):
    """One probe of one run. It never replaces f_mem: it says that copying may be near, not that there is any."""

    run_id: str
    metric: str
    level: float | None = Field(description="chosen from runs of other configurations; None with the reason in note")
    falling: bool = False
    onset: Onset | None = None
    lead: Lead | None = None
    outcome: Outcome | None = Field(None, description="once the run is over")
    note: str = ""


class ExperimentWarnings(Contract):
    """Every probe of every run of an experiment, and the calibrations of its data sets."""

    experiment_id: str
    metrics: dict[str, MetricInfo]
    warnings: tuple[RunWarning, ...]
    calibrations: tuple[ProbeCalibration, ...]
