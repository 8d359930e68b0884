"""The words of the spectrum page: what was learnt first, what is drawn, and every number as a table."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from frontend.charts.loss_grid import grid_indices
from frontend.charts.run_lines import Row, measured_rows
from frontend.charts.spectrum import PARTS, metrics_of, part_words
from frontend.markup.html import Html, join, tag
from frontend.markup.sections import section, table
from frontend.words import DASH, interval, number, onset_words, percent, plural, steps
from tauscope.analysis.spectrum import learnt
from tauscope.contracts.curves import Curves, Series
from tauscope.contracts.onsets import Onset, OnsetStatus
from tauscope.contracts.points import MetricInfo, Point
from tauscope.contracts.run_views import RunView

NOTHING = (
    "Neither is measured here. Launch with measurement.spectrum for the error by Fourier band and principal component, or with "
    "measurement.loss_grid for the losses over all noise levels, e.g. --set 'measurement.spectrum={index: 100}' --set "
    "'measurement.loss_grid={count: 12}'; the preset digits-spectrum has both."
)
_LEARNT = ("", "as the filter from τ (95 %)", "last error (95 %)", "best linear filter", "last over the filter's (95 %)", "pairs")
_GRID = ("index", "alpha_bar", "first held-out loss (95 %)", "last held-out loss (95 %)", "relative gap (95 %)", "pairs")


def learnt_in(run: RunView, curves: Curves) -> dict[str, Onset]:
    """When each band and group of a run came down to the linear filter's error, by metric."""
    found = curves.runs.get(run.id, {})
    return learnt(point for name, series in found.items() if "_ratio@" in name for point in _points(name, series))


def spectrum_finding(name: str, run: RunView, curves: Curves, onsets: Mapping[str, Onset]) -> Html:
    """When each band was learnt, and whether the order of their onsets is certain."""
    if not metrics_of(curves.metrics, "bands", "held_out") and not grid_indices(curves.metrics):
        return join(NOTHING)
    bands = [onset for metric, onset in onsets.items() if metric.startswith(PARTS["bands"])]
    if not bands:
        waits = not any(metric.startswith(("error_", "grid_")) for metric in curves.runs.get(run.id, {}))
        return join(f"{name}: no point yet." if waits else f"{name}: held-out and training loss over noise levels.")
    times = [_when(onset) for onset in bands]
    return join(
        f"{name}: from low to high frequency, the held-out error comes down to that of the best linear filter at τ ",
        f"{', '.join(times)}. {_order(bands)}",
    )


def _order(bands: Sequence[Onset]) -> str:
    pairs = list(pairwise(bands))
    rising = sum(_before(first, second) for first, second in pairs)
    falling = sum(_before(second, first) for first, second in pairs)
    return (
        f"Of {plural(len(pairs), 'pair')} of neighbours the lower comes first in {rising}, the higher in {falling}, beyond both intervals."
    )


def _before(first: Onset, second: Onset) -> bool:
    """Whether one onset ends before the other begins; one that was not reached lies beyond its last measured step."""
    if first.status is not OnsetStatus.REACHED or first.high is None or second.status is OnsetStatus.UNDEFINED:
        return False
    return second.low is not None and first.high <= second.low


def spectrum_keys(curves: Curves, shown: str) -> Html | None:
    """What the lines and spans are."""
    info = next((curves.metrics[name] for name in metrics_of(curves.metrics, "bands", shown)), None)
    if info is None:
        return None
    about = (
        f"At index {info.index} (alpha_bar {info.alpha_bar:.3f}). 0: exact. 1, dotted grey: knows the mean training image alone. "
        "Dotted in a line's colour: what the best linear filter of the held-out images leaves, each coefficient scaled by itself. "
        "Shaded: 95 % over pairs; upright, the onsets of this run with their intervals."
    )
    return tag("p", about, class_="tau-score")


def learnt_table(run: RunView, curves: Curves, onsets: Mapping[str, Onset]) -> Html | None:
    """Every band and group: when it was learnt, and its last held-out error beside the filter's."""
    series = curves.runs.get(run.id, {})
    metrics = [metric for part in PARTS for metric in metrics_of(curves.metrics, part, "held_out")]
    if not metrics:
        return None
    cells = [_learnt_row(curves.metrics[name], measured_rows(series.get(name)), series, onsets) for name in metrics if name in series]
    return section("Held-out error by band and by component", table(_LEARNT, cells, "No point yet: it comes with the first losses."))


def _learnt_row(info: MetricInfo, rows: Sequence[Row], series: Mapping[str, Series], onsets: Mapping[str, Onset]) -> tuple[object, ...]:
    name = info.name.replace("held_out", "ratio")
    onset, limit, ratio = onsets.get(name), measured_rows(series.get(info.control or "")), measured_rows(series.get(name))
    return (
        part_words(info),
        DASH if onset is None else _when(onset),
        f"{_value(rows[-1])} at {steps(rows[-1][0])}" if rows else "not measured",
        number(limit[-1][1]) if limit else DASH,
        _value(ratio[-1] if ratio else None),
        f"{rows[-1][4]:,}" if rows else DASH,
    )


def _when(onset: Onset) -> str:
    return f"{steps(onset.value)} ({interval(onset.low, onset.high)})" if onset.value is not None else onset_words(onset)[0]


def grid_table(run: RunView, curves: Curves) -> Html | None:
    """Every noise level: the held-out loss at first and at last, and the gap at last."""
    levels, series = grid_indices(curves.metrics), curves.runs.get(run.id, {})
    if not levels:
        return None
    cells = [row for level in levels if (row := _grid_row(level, series)) is not None]
    return section("Losses over noise levels", table(_GRID, cells, "No point yet: they come with the first samples."))


def _grid_row(level: MetricInfo, series: Mapping[str, Series]) -> tuple[object, ...] | None:
    held_out, gap = (measured_rows(series.get(level.name.replace("held_out", name))) for name in ("held_out", "gap"))
    if not held_out or not gap:
        return None
    first, last, apart = held_out[0], held_out[-1], gap[-1]
    return (
        f"{level.index:,}",
        f"{level.alpha_bar:.4g}",
        f"{_value(first)} at {steps(first[0])}",
        f"{_value(last)} at {steps(last[0])}",
        f"{percent(apart[1])} ({percent(apart[2])} to {percent(apart[3])})",
        f"{last[4]:,}",
    )


def data_table(run: RunView, curves: Curves, metrics: Sequence[str]) -> Html | None:
    """The drawn errors at every step."""
    series = curves.runs.get(run.id, {})
    rows = {metric: {row[0]: row for row in measured_rows(series.get(metric))} for metric in metrics}
    times = sorted({step for found in rows.values() for step in found})
    if not times:
        return None
    cells = [(steps(step), *(_value(found.get(step)) for found in rows.values())) for step in times]
    head = ("τ", *(part_words(curves.metrics[metric]) for metric in metrics))
    return tag("details", tag("summary", "Data table"), table(head, cells, ""), class_="tau-details")


def _value(row: Row | None) -> str:
    return DASH if row is None else f"{number(row[1])} ({number(row[2])} to {number(row[3])})"


def _points(name: str, series: Series) -> list[Point]:
    columns = zip(series.step, series.value, series.low, series.high, series.count, series.reason, strict=True)
    return [Point(step=s, metric=name, value=v, low=lo, high=hi, count=n, reason=why) for s, v, lo, hi, n, why in columns]
