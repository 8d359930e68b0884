"""The key of a comparison: which line style and marker is which experiment. A figure that is taken away carries it."""

from collections.abc import Sequence
from html import escape
from typing import Any

from frontend.charts.compared import Line
from frontend.charts.figure import Trace, ViewOptions
from frontend.comparison import Part

KEY_ROW = 20  # Pixels.


def experiment_keys(parts: Sequence[Part], lines: Sequence[Line], options: ViewOptions) -> list[Trace]:
    """An entry for each of several experiments, without points of its own."""
    if len(parts) == 1:
        return []
    first = {line.part.letter: line for line in reversed(lines)}
    return [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "x": [None],
            "y": [None],
            "name": _entry(part, options),
            "showlegend": True,
            "hoverinfo": "skip",
            "line": {"color": options.palette.ink_2, "width": 2, "dash": first[part.letter].dash},
            "marker": {"symbol": first[part.letter].symbol, "size": 6, "color": options.palette.ink_2},
            "meta": {"experiment": part.experiment.id},
        }
        for part in parts
        if part.letter in first
    ]


def _entry(part: Part, options: ViewOptions) -> str:
    room = int(_entry_width(options) / 7.2) - 6
    name = part.experiment.name if len(part.experiment.name) <= room else f"{part.experiment.name[: room - 1]}…"
    return f"{part.letter}  {escape(name, quote=False)}"


def _entry_width(options: ViewOptions) -> float:
    return min(280.0, options.pixels - 60)


def key_rows(parts: Sequence[Part], options: ViewOptions) -> int:
    """How many rows the key takes above the panels; one experiment alone needs none."""
    if len(parts) == 1:
        return 0
    columns = max(1, int(options.plot_width / (_entry_width(options) + 30)))
    return -(-len(parts) // columns)


def key_place(inner: float, options: ViewOptions) -> dict[str, Any]:
    """Where the key stands over panels of ``inner`` pixels: above their titles."""
    return {
        "orientation": "h",
        "traceorder": "normal",
        "x": 0,
        "xanchor": "left",
        "y": 1 + 28 / inner,
        "yanchor": "bottom",
        "entrywidth": _entry_width(options),
        "entrywidthmode": "pixels",
        "itemclick": False,
        "itemdoubleclick": False,
        "font": {"size": 12, "color": options.palette.ink_1},
    }
