"""Finding experiments among many, and putting them in order: filters, counts, tags, the archive, what a deletion removes."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, field_validator

from tauscope.contracts.model import Contract
from tauscope.contracts.runs import RunState

Tag = Annotated[
    str, Field(min_length=1, max_length=40, pattern=r"^[^\s,]([^,\n\r\t]*[^\s,])?$", description="a word or a few, without commas")
]
MAX_TAGS = 20


class ListState(StrEnum):
    """The states by which experiments are listed: those of a run, and two that gather several.

    ``live``: something can still change. ``attention``: a run failed, or nothing was heard of the running ones for a while.
    """

    QUEUED = RunState.QUEUED
    RUNNING = RunState.RUNNING
    PAUSED = RunState.PAUSED
    FINISHED = RunState.FINISHED
    STOPPED = RunState.STOPPED
    FAILED = RunState.FAILED
    LIVE = "live"
    ATTENTION = "attention"


class TagsChange(Contract):
    """All tags that an experiment shall have."""

    tags: tuple[Tag, ...] = Field(max_length=MAX_TAGS)

    @field_validator("tags")
    @classmethod
    def _sorted_once(cls, tags: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(sorted(set(tags)))


class ArchiveChange(Contract):
    """Whether an experiment is put away: kept whole, and listed only when asked for."""

    archived: bool


class ExperimentCensus(Contract):
    """How many experiments a filter finds, by state, and the tags and data sets there are to filter by."""

    counts: dict[str, int] = Field(description="by all, live, attention, finished, and archived")
    tags: dict[str, int]
    datasets: dict[str, int]


class DeletionPreview(Contract):
    """What deleting an experiment would remove."""

    runs: int
    points: int = Field(description="measured numbers")
    checkpoints: int
    samples: int = Field(description="checkpoints with samples")
    files: int = Field(description="files that nothing else refers to")
    n_bytes: int = Field(description="their size")
    shared_files: int = Field(description="files that stay, because another experiment refers to them")
    allowed: bool = Field(description="whether every run is over")
