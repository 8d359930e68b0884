"""Rows at unequal times brought onto an even grid, by choice."""

from dataclasses import replace

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from tauscope.datasets.series.cells import said_time
from tauscope.datasets.series.raw_series import RawSeries
from tauscope.datasets.source import DatasetError
from tauscope.specs.series import SeriesSpec

# Times in seconds since 1970 are known to a microsecond or so in float64.
_TOLERANCE = 1e-4
MAX_STEPS = 10**8


def evenly_sampled(series: RawSeries, spec: SeriesSpec) -> RawSeries:
    """The series at equal steps, by ``spec.sampling``; the step is the most frequent interval.

    Raises:
        DatasetError: naming the first row that is not a step after the one before, if the spec says so, or that does not come
            after it.
    """
    if series.times is None:
        return replace(series, remarks=(*series.remarks, f"{series.where} has no column of times: its rows are taken as equally far apart"))
    if spec.sampling == "rows" or len(series.times) < 2:
        return series
    _check_order(series, series.times)
    step = _usual_step(series.times)
    apart = np.diff(series.times) / step
    uneven = np.flatnonzero(np.abs(apart - 1) > _TOLERANCE)
    if not len(uneven):
        return series
    if spec.sampling == "fail":
        raise _uneven(series, series.times, uneven, step)
    if (series.times[-1] - series.times[0]) / step > MAX_STEPS:
        raise DatasetError(f"{series.where} spans more than {MAX_STEPS:,} steps of {step:g}", "Cut the series", field="dataset.sampling")
    return _onto_grid(series, series.times, step) if spec.sampling == "grid" else _resampled(series, series.times, step)


def _usual_step(times: Float[ndarray, " row"]) -> float:
    steps, counts = np.unique(np.round(np.diff(times), 6), return_counts=True)
    return float(steps[counts.argmax()])


def _check_order(series: RawSeries, times: Float[ndarray, " row"]) -> None:
    back = np.flatnonzero(np.diff(times) <= 0)
    if len(back):
        row = series.rows[back[0] + 1]
        said = said_time(times[back[0] + 1], dated=series.dated)
        raise DatasetError(
            f"row {row}, column {series.time_column} of {series.where} ({said}) does not come after the row above it",
            "Sort the rows by time, and put each of several series into a file of its own",
            field="dataset.time",
        )


def _uneven(series: RawSeries, times: Float[ndarray, " row"], uneven: Int[ndarray, " place"], step: float) -> DatasetError:
    place = int(uneven[0])
    unit = " s" if series.dated else ""
    return DatasetError(
        f"row {series.rows[place + 1]}, column {series.time_column} of {series.where} ({said_time(times[place + 1], dated=series.dated)})"
        f" comes {times[place + 1] - times[place]:g}{unit} after the row above it, where {step:g}{unit} is usual;"
        f" {len(uneven):,} of {len(times) - 1:,} intervals differ",
        "Set dataset.sampling to grid (absent rows become missing values), resample (linear between rows) or rows (as they stand)",
        field="dataset.sampling",
    )


def _onto_grid(series: RawSeries, times: Float[ndarray, " row"], step: float) -> RawSeries:
    exact = (times - times[0]) / step
    place = np.rint(exact).astype(np.int64)
    off = np.flatnonzero(np.abs(exact - place) > max(_TOLERANCE, 1e-9 * float(exact[-1])))
    if len(off):
        raise DatasetError(
            f"row {series.rows[off[0]]}, column {series.time_column} of {series.where}"
            f" ({said_time(times[off[0]], dated=series.dated)}) lies between two steps of {step:g}; {len(off):,} rows do",
            "Set dataset.sampling to resample, or to rows",
            field="dataset.sampling",
        )
    count = int(place[-1]) + 1
    values, rows = np.full((count, len(series.channels)), np.nan), np.zeros(count, np.int64)
    values[place], rows[place] = series.values, series.rows
    remark = f"{count - len(times):,} of {count:,} steps are absent in {series.where} and stand as missing values"
    even = times[0] + step * np.arange(count)
    return replace(series, values=values, rows=rows, times=even, remarks=(*series.remarks, remark))


def _resampled(series: RawSeries, times: Float[ndarray, " row"], step: float) -> RawSeries:
    """Linear between the rows on either side; a value is missing where one of these is."""
    even = times[0] + step * np.arange(int((times[-1] - times[0]) / step + _TOLERANCE) + 1)
    values = np.stack([np.interp(even, times, column) for column in series.values.T], axis=1)
    row = np.searchsorted(times, even, side="right") - 1
    made = np.abs(times[row] - even) > _TOLERANCE * step
    remark = f"{int(made.sum()):,} of {len(even):,} steps are interpolated between rows of {series.where} at unequal times"
    return replace(series, values=values, times=even, rows=np.where(made, 0, series.rows[row]), remarks=(*series.remarks, remark))
