"""Checkpoints: which one to use, which are kept and why, and what pruning frees."""

from pydantic import Field

from tauscope.contracts.model import Contract
from tauscope.contracts.points import Point


class Margin(Contract):
    """How far a step is on the way to tau_mem: step / tau_mem, with the interval of tau_mem.

    Where tau_mem was not reached it is that of its forecast, with the 80 % interval, and ``predicted`` says so. Without a forecast
    ``share`` is ``None`` there, and ``high`` what the lower bound of tau_mem allows, ``None`` where that allows any.
    """

    share: float | None
    low: float | None
    high: float | None
    predicted: bool = Field(False, description="whether tau_mem is foretold and not measured; the interval is then one of 80 %")
    words: str = Field(
        description="e.g. '38 % of tau_mem (34 to 43 %)', '38 % of the predicted tau_mem (80 %: 30 to 51 %)', "
        "'at most 41 % of tau_mem, which is not before 3,000'"
    )


class Recommendation(Contract):
    """The checkpoint to use: the earliest that is as good as any between the two onsets; or why there is none."""

    step: int | None
    quality: Point | None = Field(None, description="the quality that defines tau_gen, at that step")
    f_mem: Point | None = Field(None, description="the memorized fraction at that step")
    margin: Margin | None = Field(None, description="what is left until copying begins")
    reason: str = Field(description="why this step, or why none")
    summary: str = Field("", description="step, quality, copies and margin in one line; empty where there is none")


class CheckpointView(Contract):
    """A checkpoint of a run and what retention makes of it."""

    step: int
    n_bytes: int = Field(description="weights and training state together")
    pinned: bool
    kept: tuple[str, ...] = Field(description="why pruning keeps it; empty where it would not")


class RunCheckpoints(Contract):
    """Every checkpoint of a run, by step."""

    run_id: str
    recommendation: Recommendation
    warnings: tuple[str, ...] = Field((), description="what at the last checkpoint says that copying comes or has come, with its numbers")
    checkpoints: tuple[CheckpointView, ...]


class PruneRequest(Contract):
    """Nothing is removed unless ``dry_run`` is false."""

    dry_run: bool = True


class KeptCheckpoint(Contract):
    """A checkpoint that stays, and why."""

    step: int
    reasons: tuple[str, ...]


class PrunedRun(Contract):
    """What pruning does to one run."""

    run_id: str
    label: str
    kept: tuple[KeptCheckpoint, ...]
    dropped: tuple[int, ...]
    bytes_freed: int = Field(description="size of the files that nothing else refers to")


class PruneReport(Contract):
    """What pruning did, or in a dry run would do."""

    dry_run: bool
    runs: tuple[PrunedRun, ...]
    bytes_freed: int


class GarbageReport(Contract):
    """What of no run's files was removed, or in a dry run would be."""

    dry_run: bool
    rows: int = Field(description="entries of the artifact table")
    files: int
    n_bytes: int
