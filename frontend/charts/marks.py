"""The marks of an onset: a point with its interval if it was reached, an arrow or nothing if it was not."""

from collections.abc import Sequence
from typing import Literal

from frontend.charts.figure import Trace
from frontend.theme import Palette
from tauscope.contracts.onsets import Onset, OnsetStatus

OnsetName = Literal["tau_gen", "tau_mem", "tau_split", "warning"]
ONSETS: tuple[OnsetName, ...] = ("tau_gen", "tau_mem")
SYMBOLS: dict[OnsetName, str] = {"tau_gen": "circle", "tau_mem": "diamond", "tau_split": "square", "warning": "triangle-up"}
SIZES: dict[OnsetName, int] = {"tau_gen": 10, "tau_mem": 12, "tau_split": 8, "warning": 12}
TITLES: dict[OnsetName, str] = {
    "tau_gen": "τ<sub>gen</sub>",
    "tau_mem": "τ<sub>mem</sub>",
    "tau_split": "τ<sub>split</sub>",
    "warning": "warning",
}


def onset_colour(name: OnsetName, palette: Palette) -> str:
    """Quality's hue for tau_gen, memorization's for tau_mem, that of warnings, and ink for tau_split, which is neither."""
    hues = {"tau_gen": palette.quality, "tau_mem": palette.memorization, "tau_split": palette.ink_1, "warning": palette.warning}
    return hues[name]


def onset_marks(
    name: OnsetName, onset: Onset, *, y: float, yaxis: str, divisor: float, palette: Palette, measured: tuple[float, float]
) -> list[Trace]:
    """The traces that draw an onset at height ``y``.

    Only a reached onset is drawn as a point. A censored one is a cap with an arrow outward at the last measured step,
    one before the first measurement an arrow back from it, an undefined one nothing. ``measured`` are those two steps.
    """
    match onset.status:
        case OnsetStatus.REACHED:
            return [_reached(name, onset, y=y, yaxis=yaxis, divisor=divisor, palette=palette)]
        case OnsetStatus.CENSORED:
            return _arrow(name, measured[1], "right", y=y, yaxis=yaxis, divisor=divisor, palette=palette)
        case OnsetStatus.BEFORE_FIRST:
            return _arrow(name, measured[0], "left", y=y, yaxis=yaxis, divisor=divisor, palette=palette)
        case OnsetStatus.UNDEFINED:
            return []


def _reached(name: OnsetName, onset: Onset, *, y: float, yaxis: str, divisor: float, palette: Palette) -> Trace:
    assert onset.value is not None
    colour = onset_colour(name, palette)
    upper = (onset.high if onset.high is not None else onset.value) - onset.value
    lower = onset.value - (onset.low if onset.low else onset.value)
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [onset.value / divisor],
        "y": [y],
        "yaxis": yaxis,
        "marker": {"symbol": SYMBOLS[name], "size": SIZES[name], "color": colour, "line": {"color": palette.surface, "width": 1.5}},
        "error_x": {
            "type": "data",
            "array": [upper / divisor],
            "arrayminus": [lower / divisor],
            "color": colour,
            "thickness": 2,
            "width": 5,
        },
        "hoverinfo": "skip",
        "showlegend": False,
        "cliponaxis": False,
        "meta": {"onset": name, "status": "reached"},
    }


def _arrow(
    name: OnsetName, at: float, towards: Literal["left", "right"], *, y: float, yaxis: str, divisor: float, palette: Palette
) -> list[Trace]:
    if at <= 0:
        return []
    colour = onset_colour(name, palette)
    shaft = 1.22 if towards == "right" else 1 / 1.22
    return [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "x": [at / divisor, at * shaft / divisor],
            "y": [y, y],
            "yaxis": yaxis,
            "line": {"color": colour, "width": 2},
            "marker": {
                "symbol": ["line-ns", f"triangle-{towards}"],
                "size": [9, 9],
                "color": colour,
                "line": {"color": colour, "width": 2},
            },
            "hoverinfo": "skip",
            "showlegend": False,
            "cliponaxis": False,
            "meta": {"onset": name, "status": "arrow"},
        }
    ]


def joined(marks: Sequence[Trace]) -> list[Trace]:
    """Marks that look alike as one trace each, with gaps between arrows: a figure of many runs has few traces."""
    alike: dict[tuple[str, str, str], list[Trace]] = {}
    for mark in marks:
        alike.setdefault((mark["meta"]["onset"], mark["meta"]["status"], mark["yaxis"]), []).append(mark)
    return [_joined_arrows(same) if status == "arrow" else _joined_points(same) for (_, status, _), same in alike.items()]


def _joined_points(marks: Sequence[Trace]) -> Trace:
    bars = {side: [mark["error_x"][side][0] for mark in marks] for side in ("array", "arrayminus")}
    places = {axis: [mark[axis][0] for mark in marks] for axis in ("x", "y")}
    return {**marks[0], **places, "error_x": {**marks[0]["error_x"], **bars}}


def _joined_arrows(marks: Sequence[Trace]) -> Trace:
    places = {axis: [value for mark in marks for value in (*mark[axis], None)] for axis in ("x", "y")}
    first = marks[0]["marker"]
    repeated = {name: [*first[name], first[name][-1]] * len(marks) for name in ("symbol", "size")}
    return {**marks[0], **places, "connectgaps": False, "marker": {**first, **repeated}}
