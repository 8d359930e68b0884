"""Missing values: named, left to drop the windows that hold them, or filled where a gap is short."""

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

from tauscope.datasets.series.raw_series import RawSeries
from tauscope.datasets.source import DatasetError
from tauscope.specs.series import SeriesSpec


def without_gaps(series: RawSeries, spec: SeriesSpec) -> RawSeries:
    """The series as ``spec.missing`` says: what is still missing afterwards is left out window by window.

    Raises:
        DatasetError: naming the first missing value by row and column, if the spec says so.
    """
    lacking = np.isnan(series.values)
    if not lacking.any():
        return series
    if spec.missing == "fail":
        raise _missing(series, lacking)
    if spec.missing == "drop":
        return series
    recordings = np.split(series.values, series.cuts)
    values = np.concatenate([np.stack([_bridged(column, spec.fill_limit) for column in one.T], axis=1) for one in recordings])
    filled = (lacking & ~np.isnan(values)).sum(0)
    told = ", ".join(f"{n:,} of {name}" for n, name in zip(filled, series.channels, strict=True) if n)
    remark = f"{int(filled.sum()):,} missing values are filled linearly across gaps of at most {spec.fill_limit} steps: {told or 'none'}"
    return replace(series, values=values, remarks=(*series.remarks, remark))


def _missing(series: RawSeries, lacking: Bool[ndarray, "row channel"]) -> DatasetError:
    row, column = (int(i) for i in np.argwhere(lacking)[0])
    line = int(series.rows[row])
    above = int(series.rows[:row].max(initial=0))
    place = f"row {line}, column {series.channels[column]}" if line else f"a step after row {above}"
    what = "is missing" if line else "is absent"
    by_channel = ", ".join(f"{int(n):,} of {name}" for n, name in zip(lacking.sum(0), series.channels, strict=True) if n)
    return DatasetError(
        f"{place} of {series.where} {what}; missing in all, of {len(lacking):,} steps: {by_channel}",
        "Set dataset.missing to drop (windows that hold one are left out) or fill (linear across short gaps),"
        " or leave such a channel out of dataset.channels",
        field="dataset.missing",
    )


def _bridged(values: Float[ndarray, " row"], limit: int) -> Float[ndarray, " row"]:
    """Linear across runs of at most ``limit`` missing values that have a value on either side."""
    known = np.flatnonzero(~np.isnan(values))
    if len(known) == 0:
        return values
    filled = np.interp(np.arange(len(values)), known, values[known], left=np.nan, right=np.nan)
    before = known[np.maximum(np.searchsorted(known, np.arange(len(values)), side="right") - 1, 0)]
    after = known[np.minimum(np.searchsorted(known, np.arange(len(values)), side="left"), len(known) - 1)]
    return np.where(after - before - 1 <= limit, filled, values)
