"""The phase diagram over n and p: a tile for each cell, told apart by word, hatching and colour, and brackets for the boundaries."""

import math
from collections.abc import Sequence
from itertools import pairwise
from textwrap import wrap
from typing import Any

from frontend.charts.axes import base_layout, plain_axis
from frontend.charts.figure import Annotation, Trace, ViewOptions, label, log_position
from frontend.theme import Palette, with_opacity
from frontend.words import number
from tauscope.contracts.phase import Boundary, CellState, PhaseCell, PhaseDiagram

LETTERS = {
    CellState.MEMORIZES: "M",
    CellState.WINDOW: "W",
    CellState.CENSORED: "C",
    CellState.PLATEAU: "P",
    CellState.UNDEFINED: "?",
}
HATCHES = {CellState.MEMORIZES: "/", CellState.CENSORED: ".", CellState.UNDEFINED: "x"}
_RIGHT = 24  # Pixels: no states of runs stand there.
_GAP = 0.02  # Of a tile's extent, on each side.
_ROOM_FOR_WORDS = 84  # Pixels of a tile below which a letter stands for the state.
_LANES = {"plateau": 0.86, "window": 0.14}  # Where in the height of a row the bracket of a boundary runs.


def cell_key(cell: PhaseCell) -> str:
    """How the address names a cell."""
    return f"{cell.n}x{cell.parameters}"


def phase_figure(found: PhaseDiagram, options: ViewOptions, *, chosen: PhaseCell | None, height: float) -> dict[str, Any]:
    """The figure; tiles reach to the geometric middle between neighbouring values."""
    columns = _edges(sorted({cell.n for cell in found.cells}))
    rows = _edges(sorted({cell.parameters for cell in found.cells}))
    layout = base_layout(options, height)
    layout["margin"]["r"] = _RIGHT
    across = (options.pixels - layout["margin"]["l"] - _RIGHT) / len(columns)
    traces = [_tile(cell, columns, rows, options.palette, chosen=cell == chosen) for cell in found.cells]
    size = 0.9 * min(across, (height - 90) / len(rows))
    traces.append(_targets(found.cells, size))
    traces += [trace for item in found.boundaries for trace in _bracket(item, columns, rows, options.palette)]
    words = [_words(cell, options, across) for cell in found.cells]
    return {
        "data": traces,
        "layout": {
            **layout,
            "hovermode": "closest",
            "xaxis": _axis(options, columns, "training-set size n (log)", [f"{n:,}" for n in columns]),
            "yaxis": _axis(options, rows, "", _row_names(found.cells, options)),
            "annotations": [_title(options), *words],
            "shapes": [],
            "meta": {"height": height},
        },
    }


def _title(options: ViewOptions) -> Annotation:
    words = "<b>Phases</b>: n against p" if options.narrow else "<b>Phases</b>: training-set size n against trained parameters p, log-log"
    return label(0, 1, words, colour=options.palette.ink_1, yanchor="bottom", yshift=10)


def _edges(values: Sequence[int]) -> dict[int, tuple[float, float]]:
    """Each value with both ends of its tile; the outermost reach as far out as in."""
    logs = [math.log(value) for value in values]
    middles = [(a + b) / 2 for a, b in pairwise(logs)]
    first = 2 * logs[0] - middles[0] if middles else logs[0] - math.log(2)
    last = 2 * logs[-1] - middles[-1] if middles else logs[-1] + math.log(2)
    bounds = [first, *middles, last]
    return {value: (math.exp(low), math.exp(high)) for value, (low, high) in zip(values, pairwise(bounds), strict=True)}


def _axis(options: ViewOptions, edges: dict[int, tuple[float, float]], title: str, names: Sequence[str]) -> dict[str, Any]:
    ends = list(edges.values())
    bounds = [math.log10(ends[0][0]), math.log10(ends[-1][1])]
    ticks = {"type": "log", "range": bounds, "tickmode": "array", "tickvals": list(edges), "ticktext": list(names)}
    return {**plain_axis(options, title), **ticks, "showgrid": False}


def _row_names(cells: Sequence[PhaseCell], options: ViewOptions) -> list[str]:
    widths = {cell.parameters: cell.width for cell in cells}
    return [f"{_short(p) if options.narrow else f'{p:,}'}<br>W = {widths[p]}" for p in sorted(widths)]


def _short(parameters: int) -> str:
    return f"{parameters / 1e6:.1f} M" if parameters >= 1e6 else f"{parameters / 1e3:.0f} k"


def _within(ends: tuple[float, float], share: float) -> float:
    return math.exp(math.log(ends[0]) + share * math.log(ends[1] / ends[0]))


def _tile(
    cell: PhaseCell, columns: dict[int, tuple[float, float]], rows: dict[int, tuple[float, float]], palette: Palette, *, chosen: bool
) -> Trace:
    (left, right), (bottom, top) = [(_within(ends, _GAP), _within(ends, 1 - _GAP)) for ends in (columns[cell.n], rows[cell.parameters])]
    colour, opacity = _fill(cell.state, palette)
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [left, right, right, left, left],
        "y": [bottom, bottom, top, top, bottom],
        "fill": "toself",
        "fillcolor": with_opacity(colour, opacity),
        **_hatching(cell.state, palette),
        "line": {"color": palette.action if chosen else palette.rule, "width": 3 if chosen else 1},
        "hoverinfo": "skip",
        "showlegend": False,
        "meta": {"cell": cell_key(cell), "state": str(cell.state)},
    }


def _hatching(state: CellState, palette: Palette) -> dict[str, Any]:
    if state not in HATCHES:
        return {}
    look = {"fgcolor": with_opacity(palette.ink_1, 0.55), "fillmode": "overlay", "size": 9, "solidity": 0.15}
    return {"fillpattern": {"shape": HATCHES[state], **look}}


def _fill(state: CellState, palette: Palette) -> tuple[str, float]:
    return {
        CellState.MEMORIZES: (palette.memorization, 0.34),
        CellState.WINDOW: (palette.quality, 0.22),
        CellState.PLATEAU: (palette.quality, 0.62),
        CellState.CENSORED: (palette.control, 0.10),
        CellState.UNDEFINED: (palette.surface, 1.0),
    }[state]


def _targets(cells: Sequence[PhaseCell], size: float) -> Trace:
    """Unseen marks as large as the tiles: what the pointer finds."""
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [cell.n for cell in cells],
        "y": [cell.parameters for cell in cells],
        "marker": {"symbol": "square", "size": size, "opacity": 0},
        "customdata": [cell_key(cell) for cell in cells],
        "text": ["<br>".join(wrap(f"{state_words(cell)}: {cell.reason}", 64)) for cell in cells],
        "hovertemplate": "<b>n = %{x:,}, p = %{y:,}</b><br>%{text}<extra></extra>",
        "showlegend": False,
        "meta": {"targets": True},
    }


def state_words(cell: PhaseCell) -> str:
    """The state, with a question mark where the intervals leave another possible, and whether it may still change."""
    return f"{cell.state}{'' if cell.settled or cell.state is CellState.UNDEFINED else '?'}{' so far' if cell.under_way else ''}"


def _words(cell: PhaseCell, options: ViewOptions, across: float) -> Annotation:
    doubt = "" if cell.settled or cell.state is CellState.UNDEFINED else "?"
    so_far = "…" if cell.under_way else ""
    if across < _ROOM_FOR_WORDS * (1.35 if options.talk else 1):
        text = f"<b>{LETTERS[cell.state]}{doubt}{so_far}</b>"
    else:
        text = f"<b>{cell.state}{doubt}{so_far}</b><br>{_numbers(cell)}"
    place = {"xref": "x", "yref": "y", "xanchor": "center", "bgcolor": with_opacity(options.palette.surface, 0.86), "borderpad": 2}
    return label(log_position(cell.n), log_position(cell.parameters), text, colour=options.palette.ink_1, **place)


def _numbers(cell: PhaseCell) -> str:
    """What the state rests on, in the fewest numbers."""
    gen, mem = cell.tau_gen, cell.tau_mem
    if cell.state is CellState.WINDOW and gen and mem and gen.high is not None and mem.low is not None:
        return f"{number(gen.high)} to {number(mem.low)}" if gen.high < mem.low else f"at {number(mem.low)} alone"
    if cell.state is CellState.MEMORIZES and mem and mem.value is not None:
        return f"τ<sub>mem</sub> {number(mem.value)}"
    return f"by {number(cell.steps)}" if cell.steps else ""


def _bracket(
    item: Boundary, columns: dict[int, tuple[float, float]], rows: dict[int, tuple[float, float]], palette: Palette
) -> list[Trace]:
    """From the last n before the boundary to the first beyond it; an arrow to the side that is open."""
    if item.low is None and item.high is None:
        return []
    ends = list(columns.values())
    outer = (_within(ends[0], _GAP), _within(ends[-1], 1 - _GAP))
    x = [item.low if item.low is not None else outer[0], item.high if item.high is not None else outer[1]]
    y = [_within(rows[item.parameters], _LANES[item.kind])] * 2
    marks = ["line-ns" if item.low is not None else "triangle-left", "line-ns" if item.high is not None else "triangle-right"]
    name = "n*" if item.kind == "plateau" else "window"
    line = {"width": 3, "color": palette.ink_1, "dash": "solid" if item.kind == "plateau" else "dot"}
    drawn = {"type": "scatter", "x": x, "y": y, "showlegend": False, "cliponaxis": False, "mode": "lines+markers", "line": line}
    halo = {**drawn, "mode": "lines", "line": {"width": 7, "color": palette.surface}, "hoverinfo": "skip"}
    mark = {"symbol": marks, "size": 11, "color": palette.ink_1, "opacity": 1, "line": {"color": palette.ink_1, "width": 3}}
    said = "<br>".join(wrap(item.reason, 64))
    told = {"hovertemplate": f"<b>{name}</b>, p = {item.parameters:,}<br>{said}<extra></extra>"}
    return [halo, {**drawn, "marker": mark, **told, "meta": {"boundary": item.kind, "identified": item.identified}}]
