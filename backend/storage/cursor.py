"""Where a reader stands in an experiment: the last flush it has seen of each run, e.g. ``1.17-1.0-2.5``."""

import re
from collections.abc import Iterable
from typing import NamedTuple

_MARK = re.compile(r"\d{1,9}\.\d{1,9}")


class Mark(NamedTuple):
    """A run's fencing epoch and the number of its last flush."""

    epoch: int
    seq: int


class InvalidCursorError(ValueError):
    """The text is no cursor of this experiment."""


def format_cursor(marks: Iterable[Mark]) -> str:
    """Write the marks of all runs, in run order."""
    return "-".join(f"{mark.epoch}.{mark.seq}" for mark in marks)


def parse_cursor(text: str, n_runs: int) -> tuple[Mark, ...]:
    """Read a cursor of an experiment with ``n_runs`` runs; of runs that came after it was written, nothing was seen.

    Raises:
        InvalidCursorError: if it has another form or more runs.
    """
    parts = text.split("-")
    if len(parts) > n_runs or not all(_MARK.fullmatch(part) for part in parts):
        raise InvalidCursorError(f"is no cursor of an experiment with {n_runs} runs")
    return tuple(Mark(*map(int, part.split("."))) for part in parts) + (Mark(0, 0),) * (n_runs - len(parts))
