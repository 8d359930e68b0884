"""Copying at one training time and both onsets against the one number that settings differ in, guidance for instance."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

from frontend.charts.axes import base_layout, plain_axis
from frontend.charts.figure import Annotation, Trace, ViewOptions, label, log_ticks
from frontend.charts.marks import ONSETS, SIZES, SYMBOLS, TITLES, OnsetName, onset_colour
from frontend.words import percent, steps
from tauscope.contracts.interventions import Interventions, Setting
from tauscope.contracts.onsets import Onset, OnsetStatus
from tauscope.contracts.points import Point

_COPYING, _ONSETS = (0.6, 1.0), (0.0, 0.44)  # Of the plot's height.
_APART = 0.012  # Of the axis: how far the two onsets of a setting stand from its value.


def settings_figure(found: Interventions, options: ViewOptions, *, height: float) -> dict[str, Any] | None:
    """Two panels over the number; nothing where the settings do not differ in one number, or none is measured.

    Only onsets that were reached are points; a censored one is an arrow up from the last step at which it was not there yet.
    """
    rows = [row for row in found.settings if row.at is not None and row.f_mem.value is not None]
    if not found.axis or len({row.at for row in rows}) < 2:
        return None
    palette, values = options.palette, sorted({row.at for row in rows if row.at is not None})
    room = 0.06 * (values[-1] - values[0])
    x_range = [values[0] - room, values[-1] + room]
    onsets = [(name, row, onset) for name in ONSETS for row in rows for onset in getattr(row, name)]
    bounds = _bounds([onset for _, _, onset in onsets], found.at)
    traces = [*_copying(rows, options)]
    for name in ONSETS:
        beside = (room * _APART / 0.06) * (-1 if name == "tau_gen" else 1)
        listed = [(row, onset) for key, row, onset in onsets if key == name]
        traces += [_reached(name, listed, beside, options), *_censored(name, listed, beside, options, found.at)]
    most = max(point.high or point.value or 0 for row in rows for point in (row.f_mem, row.control))
    return {
        "data": traces,
        "layout": {
            **base_layout(options, height),
            "hovermode": "closest",
            "xaxis": {**plain_axis(options, found.axis), "range": x_range, "tickvals": values, "anchor": "y2"},
            "yaxis": {**plain_axis(options), "domain": list(_COPYING), "range": [-4 * most, 112 * most], "ticksuffix": " %", "nticks": 5},
            "yaxis2": {
                **plain_axis(options),
                "domain": list(_ONSETS),
                "type": "log",
                "range": [math.log10(end) for end in bounds],
                "tickvals": log_ticks(*bounds),
                "tickformat": ",~r",
            },
            "annotations": [*_titles(found, rows, options), *_missing(onsets, bounds, options), *_sizes(rows, options, palette.ink_2)],
            "shapes": [],
            "meta": {"height": height},
        },
    }


def _titles(found: Interventions, rows: Sequence[Setting], options: ViewOptions) -> list[Annotation]:
    counts = {row.f_mem.count for row in rows}
    of = f", share of {rows[0].f_mem.count:,}" if len(counts) == 1 and rows[0].f_mem.count else ""
    told = "" if options.narrow else f"{of} at τ {steps(found.at)}, bars 95 %"
    low, high = (label(0, top, "", colour=options.palette.ink_1, yanchor="bottom", yshift=8) for top in (_ONSETS[1], _COPYING[1]))
    onsets = "Onsets τ, steps" + ("" if options.narrow else " (log), bars 95 %")
    return [
        high | {"text": f"<b>Memorized, f<sub>mem</sub></b>{told}", "font": {"color": options.palette.memorization, "size": 12}},
        low | {"text": f"<b>{onsets.partition(',')[0]}</b>{onsets.removeprefix('Onsets τ')}"},
    ]


def _copying(rows: Sequence[Setting], options: ViewOptions) -> Iterator[Trace]:
    """f_mem with its interval, a line for each n, and the held-out control, dotted."""
    palette = options.palette
    for n_train in sorted({row.n_train for row in rows}):
        mine = sorted((row for row in rows if row.n_train == n_train), key=lambda row: (row.at or 0.0, row.seeds))
        for name, colour, dash in (("f_mem", palette.memorization, "solid"), ("control", palette.control, "dot")):
            points = [getattr(row, name) for row in mine]
            known = [(row, point) for row, point in zip(mine, points, strict=True) if point.value is not None]
            if not known:
                continue
            yield {
                **_marks([row.at for row, _ in known], [100 * point.value for _, point in known], colour, "y"),
                "mode": "lines+markers" if len({row.at for row in mine}) == len(mine) else "markers",
                "line": {"color": colour, "width": 2, "dash": dash},
                "marker": {"color": colour, "size": 8 if name == "f_mem" else 4},
                "error_y": _bars([_spread(point) for _, point in known], colour),
                "text": [f"{row.setting or 'as it is'}<br>{name} {percent(point.value)}" for row, point in known],
                "meta": {"settings": name, "n": n_train},
            }


def _reached(name: OnsetName, listed: Sequence[tuple[Setting, Onset]], beside: float, options: ViewOptions) -> Trace:
    found = [(row, onset) for row, onset in listed if onset.status is OnsetStatus.REACHED and onset.value]
    colour = onset_colour(name, options.palette)
    values = [onset.value or 0.0 for _, onset in found]
    up = [(onset.high or value) - value for (_, onset), value in zip(found, values, strict=True)]
    down = [value - (onset.low or value) for (_, onset), value in zip(found, values, strict=True)]
    return {
        **_marks([(row.at or 0.0) + beside for row, _ in found], values, colour, "y2"),
        "marker": {"symbol": SYMBOLS[name], "size": SIZES[name], "color": colour, "line": {"color": options.palette.surface, "width": 1.5}},
        "error_y": _bars(list(zip(up, down, strict=True)), colour),
        "text": [f"{row.setting or 'as it is'}<br>{TITLES[name]} {steps(value)}" for (row, _), value in zip(found, values, strict=True)],
        "meta": {"onset": name, "status": "reached"},
    }


def _censored(name: OnsetName, listed: Sequence[tuple[Setting, Onset]], beside: float, options: ViewOptions, last: int) -> Iterator[Trace]:
    """An arrow up from the last step that all have measured: nothing was reached by then, in no run."""
    colour = onset_colour(name, options.palette)
    for row, onset in listed:
        if onset.status is OnsetStatus.CENSORED:
            at = (row.at or 0.0) + beside
            yield {
                **_marks([at, at], [last, 1.3 * last], colour, "y2"),
                "mode": "lines+markers",
                "line": {"color": colour, "width": 2},
                "marker": {"symbol": ["line-ew", "triangle-up"], "size": 9, "color": colour, "line": {"color": colour, "width": 2}},
                "text": [f"{row.setting or 'as it is'}<br>{TITLES[name]} {onset.reason or 'not reached'}"] * 2,
                "meta": {"onset": name, "status": "arrow"},
            }


def _missing(onsets: Sequence[tuple[OnsetName, Setting, Onset]], bounds: tuple[float, float], options: ViewOptions) -> list[Annotation]:
    """What has no mark is said in the panel's corner, by name and count."""
    told = []
    for name in ONSETS:
        listed = [onset for key, _, onset in onsets if key == name]
        early = sum(onset.status is OnsetStatus.BEFORE_FIRST for onset in listed)
        lost = sum(onset.status is OnsetStatus.UNDEFINED for onset in listed)
        counts = {"before the first checkpoint": early, "undefined": lost}
        words = [f"{why} in {count} of {len(listed)}" for why, count in counts.items() if count]
        told += [f"{TITLES[name]} {', '.join(words)}"] * bool(words)
    said = "; ".join(told)
    return [label(1, _ONSETS[1], said, colour=options.palette.ink_2, xanchor="right", yanchor="bottom", yshift=8)] if said else []


def _sizes(rows: Sequence[Setting], options: ViewOptions, colour: str) -> Iterator[Annotation]:
    """The n at each line's end, where there are several."""
    sizes = sorted({row.n_train for row in rows})
    for n_train in sizes if len(sizes) > 1 else ():
        last = max((row for row in rows if row.n_train == n_train), key=lambda row: row.at or 0.0)
        place = {"x": last.at, "xref": "x", "y": 100 * (last.f_mem.value or 0.0), "yref": "y", "xshift": 14}
        yield label(0, 0, f"n = {n_train:,}", colour=colour) | place


def _spread(point: Point) -> tuple[float, float]:
    """How far up and down the interval reaches, in percent."""
    if point.value is None or point.low is None or point.high is None:
        return 0.0, 0.0
    return 100 * (point.high - point.value), 100 * (point.value - point.low)


def _bars(ends: Sequence[tuple[float, float]], colour: str) -> dict[str, Any]:
    up, down = ([end[side] for end in ends] for side in (0, 1))
    return {"type": "data", "array": up, "arrayminus": down, "color": colour, "thickness": 2, "width": 5}


def _marks(x: Sequence[Any], y: Sequence[float], colour: str, axis: str) -> Trace:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": list(x),
        "y": list(y),
        "yaxis": axis,
        "marker": {"color": colour},
        "hovertemplate": "%{text}<extra></extra>",
        "showlegend": False,
        "cliponaxis": False,
    }


def _bounds(onsets: Sequence[Onset], last: int) -> tuple[float, float]:
    ends = [end for onset in onsets for end in (onset.value, onset.low, onset.high) if end]
    ends += [1.2 * last for onset in onsets if onset.status is OnsetStatus.CENSORED]
    return (min(ends) / 1.4, max(ends) * 1.6) if ends else (1.0, 1000.0)
