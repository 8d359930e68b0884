"""Fewer points of a long series, chosen so that its picture over log training time stays the same."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

Rows = Int[ndarray, " kept"]

_REFINEMENTS = 4


def thinned(columns: dict[str, list[Any]], max_points: int | None) -> dict[str, list[Any]]:
    """A series in columns with at most ``max_points`` rows; every column keeps the same rows."""
    if max_points is None or len(columns["step"]) <= max_points:
        return columns
    rows = kept_rows(columns["step"], columns["value"], columns["reason"], max_points).tolist()
    return {name: [column[row] for row in rows] for name, column in columns.items()}


def kept_rows(step: Sequence[int], value: Sequence[float | None], reason: Sequence[str | None], max_points: int) -> Rows:
    """Which rows of a series stay, ascending and at most ``max_points`` (8 or more).

    The first and the last row stay; of every stretch of rows that lack a value or carry a reason its first and last, so that a
    gap stays a gap and a break its step; and the smallest and the largest value of every cell of a grid that is even in
    log step. Where there are more stretches than half of ``max_points`` can hold, one row stays of each cell.
    """
    time = np.log(np.maximum(np.asarray(step, dtype=np.float64), 1.0))
    height = np.asarray(value, dtype=np.float64)
    marked = np.isnan(height) | np.array([item is not None for item in reason])
    ends = np.array([0, len(time) - 1])
    breaks = _one_per_cell(_edges(marked), time, max_points // 2)
    plain = np.flatnonzero(~marked)
    room = max_points - len(ends) - len(breaks)
    return _in_order(len(time), ends, breaks, plain[_extremes(time[plain], height[plain], room)])


def _in_order(length: int, *rows: Int[ndarray, " row"]) -> Rows:
    """Each of these rows once, ascending. To mark them takes an eighth of the time of ``np.unique`` for so few."""
    kept = np.zeros(length, dtype=bool)
    for some in rows:
        kept[some] = True
    return np.flatnonzero(kept)


def _edges(marked: Bool[ndarray, " point"]) -> Int[ndarray, " edge"]:
    """First and last row of every stretch of marked rows."""
    padded = np.concatenate([[False], marked, [False]])
    return np.flatnonzero(marked & ~(padded[:-2] & padded[2:]))


def _one_per_cell(rows: Int[ndarray, " edge"], time: Float[ndarray, " point"], room: int) -> Rows:
    if len(rows) <= room:
        return rows
    _, first = np.unique(_cells(time[rows], room), return_index=True)
    return rows[first]


def _extremes(time: Float[ndarray, " point"], height: Float[ndarray, " point"], room: int) -> Rows:
    """Rows of the smallest and the largest value of each cell; early cells hold few points, so finer grids are tried while they fit."""
    if len(time) <= room:
        return np.arange(len(time))
    cells = max(1, room // 2)
    best = _of_grid(time, height, cells)
    for _ in range(_REFINEMENTS):
        cells = int(cells * room / len(best))
        finer = _of_grid(time, height, cells)
        if not len(best) < len(finer) <= room:
            break
        best = finer
    return best


def _of_grid(time: Float[ndarray, " point"], height: Float[ndarray, " point"], cells: int) -> Rows:
    cell = _cells(time, cells)
    order = np.lexsort((height, cell))
    starts = np.flatnonzero(np.diff(cell[order], prepend=-1))
    stops = np.append(starts[1:], len(order)) - 1
    return _in_order(len(order), order[starts], order[stops])


def _cells(time: Float[ndarray, " point"], cells: int) -> Int[ndarray, " point"]:
    span = time[-1] - time[0]
    shares: Float[ndarray, " point"] = (time - time[0]) / (span or 1.0)
    return np.asarray(np.minimum(shares * cells, cells - 1), dtype=np.int64)
