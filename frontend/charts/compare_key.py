"""The key of a comparison: which line style and marker is which experiment. A figure that is taken away carries it."""

from collections.abc import Sequence
from html import escape
from typing import Any

from frontend.charts.compared import Line
from frontend.charts.figure import Trace, ViewOptions
from frontend.comparison import Part

KEY_ROW = 20  # Pixels.


def experiment_keys(parts: Sequence[Part], lines: Sequence[Line], options: ViewOptions) -> list[Trace]:
    """An entry for each experiment, without points of its own."""
    if not is_keyed(parts, lines):
        return []
    first = {line.part.letter: line for line in reversed(lines)}
    return [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "x": [None],
            "y": [None],
            "name": _entry(part, [line for line in lines if line.part is part], options),
            "showlegend": True,
            "hoverinfo": "skip",
            "line": {"color": options.palette.ink_2, "width": 2, "dash": first[part.letter].dash},
            "marker": {"symbol": first[part.letter].symbol, "size": 6, "color": options.palette.ink_2},
            "meta": {"experiment": part.experiment.id},
        }
        for part in parts
        if part.letter in first
    ]


def is_keyed(parts: Sequence[Part], lines: Sequence[Line]) -> bool:
    """Whether there is anything to tell: several experiments, or how many seeds a line is the mean of."""
    return len(parts) > 1 or any(line.is_mean for line in lines)


def _entry(part: Part, lines: Sequence[Line], options: ViewOptions) -> str:
    seeds = sorted({line.n_seeds for line in lines}) if any(line.is_mean for line in lines) else []
    means = f", mean of {' to '.join(str(count) for count in dict.fromkeys((seeds[0], seeds[-1])))} seeds" if seeds else ""
    room = int(_entry_width(options) / 7.2) - 6 - len(means)
    name = part.experiment.name if len(part.experiment.name) <= room else f"{part.experiment.name[: max(room, 6) - 1]}…"
    return f"{part.letter}  {escape(name, quote=False)}{means}"


def _entry_width(options: ViewOptions) -> float:
    return min(300.0, options.pixels - 60)


def key_rows(parts: Sequence[Part], lines: Sequence[Line], options: ViewOptions) -> int:
    """How many rows the key takes above the panels."""
    if not is_keyed(parts, lines):
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
