"""Cells of a table as numbers and times; whatever is neither is named by row and column."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from tauscope.datasets.source import DatasetError

MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "?"})


def numbers(cells: Sequence[str], column: str, where: str, *, first_line: int = 2) -> Float[ndarray, " row"]:
    """The numbers of a column, NaN where a cell is empty or says that it is missing.

    Raises:
        DatasetError: at the first cell that is text or infinite, by row and column.
    """
    found = np.array([_number(cell) for cell in cells])
    wrong = np.flatnonzero(np.isinf(found))
    if len(wrong):
        place = f"row {first_line + int(wrong[0])}, column {column} of {where} holds {cells[wrong[0]].strip()[:40]!r}, which is no number"
        raise DatasetError(
            f"{place}; {len(wrong):,} of {len(cells):,} cells of the column are not",
            "Correct the cells or leave them empty, or name the columns that hold numbers in dataset.channels",
            field="dataset.channels",
        )
    return found


def are_numbers(cells: Sequence[str]) -> bool:
    """Whether a column holds any number, so that text in it is an error and not another kind of column."""
    return any(math.isfinite(_number(cell)) for cell in cells)


def times(cells: Sequence[str], column: str, where: str, *, first_line: int = 2) -> tuple[Float[ndarray, " row"], bool]:
    """The times of a column: seconds since 1970 if they are dates (ISO 8601; without an offset taken as UTC), else the numbers.

    Returns:
        The times, and whether they are dates.

    Raises:
        DatasetError: at the first cell that is neither, by row and column.
    """
    dated = not math.isfinite(_number(cells[0]))
    found = np.array([_instant(cell) if dated else _number(cell) for cell in cells])
    wrong = np.flatnonzero(~np.isfinite(found))
    if len(wrong):
        place = f"row {first_line + int(wrong[0])}, column {column} of {where} holds {cells[wrong[0]].strip()[:40]!r}, which is no time"
        raise DatasetError(
            place, "Write times as 2013-01-01T06:00:00Z or as numbers, or name another column in dataset.time", field="dataset.time"
        )
    return found, dated


def said_time(time: float, *, dated: bool) -> str:
    """A time as an error shows it."""
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if dated else f"{time:g}"


def _number(cell: str) -> float:
    """NaN for a missing one, infinite for text."""
    try:
        return float(cell)
    except ValueError:
        return math.nan if cell.strip().lower() in MISSING else math.inf


def _instant(cell: str) -> float:
    try:
        moment = datetime.fromisoformat(cell.strip())
    except ValueError:
        return math.nan
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
