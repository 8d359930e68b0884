"""Onsets as rows: a value with its interval where it was reached, a bound and no value where it was not."""

from collections.abc import Sequence
from typing import Any

from tauscope.analysis.seeds import onset_over_seeds
from tauscope.contracts.onsets import Onset, OnsetStatus
from tauscope.figures.rows import Row
from tauscope.figures.seeds import Family
from tauscope.figures.source import FigureRun

OnsetName = str
_MOST_LISTED = 6
SYMBOLS = {"tau_gen": r"$\tau_\mathrm{gen}$", "tau_mem": r"$\tau_\mathrm{mem}$"}


def onset_rows(family: Family, name: OnsetName, panel: str) -> list[Row]:
    """The onset of each run along x, and of three or more that all reached it their geometric mean."""
    found = [(run, run.onsets[name]) for run in family.runs if name in run.onsets]
    mean = onset_over_seeds([onset for _, onset in found]) if len(found) == len(family.runs) else None
    if mean is not None:
        ends: dict[str, Any] = {"x": mean.value, "x_low": mean.low, "x_high": mean.high}
        return [Row(panel, "onset", name, **ends, n_train=family.n_train, runs=len(found), status=OnsetStatus.REACHED)]
    return [Row(panel, "onset", name, n_train=family.n_train, run=run.id, **onset_fields(onset, run, along="x")) for run, onset in found]


def onset_fields(onset: Onset, run: FigureRun, *, along: str) -> dict[str, Any]:
    """Value, interval, status and reason of an onset as the fields of a row; an open end stays empty."""
    return {
        along: onset.value,
        f"{along}_low": _low_end(onset, run),
        f"{along}_high": None if onset.status is OnsetStatus.CENSORED else onset.high,
        "status": str(onset.status),
        "note": onset.reason,
    }


def _low_end(onset: Onset, run: FigureRun) -> float | None:
    """Its own; where a censored onset has none, the last step that was measured."""
    if onset.status is not OnsetStatus.CENSORED or onset.low:
        return onset.low or None
    series = run.series.get(onset.metric)
    return float(series.step[-1]) if series and series.step else None


def without_value(rows: Sequence[Row]) -> str:
    """Which onsets have no value, in words, e.g. ``not reached: n = 8``; empty where all have one."""
    said = {
        OnsetStatus.CENSORED: "not reached by the last checkpoint (arrow)",
        OnsetStatus.BEFORE_FIRST: "before the first checkpoint (arrow back)",
        OnsetStatus.UNDEFINED: "not measured",
    }
    parts = []
    for status, words in said.items():
        sizes = sorted({row.n_train for row in rows if row.status == status and row.n_train is not None})
        if sizes:
            parts.append(f"{words}: n = {_listed(sizes)}")
    return "; ".join(parts)


def _listed(sizes: Sequence[int]) -> str:
    return ", ".join(f"{n:,}" for n in sizes) if len(sizes) <= _MOST_LISTED else f"{sizes[0]:,} to {sizes[-1]:,} ({len(sizes)} values)"
