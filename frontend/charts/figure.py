"""What a figure description is made of."""

import math
from dataclasses import dataclass
from typing import Any, Literal

from frontend.theme import PALETTES, Palette, ThemeName
from frontend.words import Axis

Trace = dict[str, Any]
Shape = dict[str, Any]
Annotation = dict[str, Any]


class FigureError(ValueError):
    """A figure that would mislead was asked for."""


@dataclass(frozen=True)
class ViewOptions:
    """What the viewer chose; every field stands in the page's address."""

    axis: Axis = "tau"
    quality: str | None = None
    focus: str | None = None
    losses: int | None = None
    theme: ThemeName = "light"
    viewport: int | None = None
    width: int | None = None

    @property
    def palette(self) -> Palette:
        return PALETTES[self.theme]

    @property
    def plot_width(self) -> float:
        """Width of the plotting area in pixels."""
        return float(max(200, (self.width or _ASSUMED_WIDTH) - MARGIN_LEFT - MARGIN_RIGHT))


# Room at the sides for row names, ticks and states, in pixels; the width is the viewer's, here until it is known.
MARGIN_LEFT, MARGIN_RIGHT = 84, 152
_ASSUMED_WIDTH = 1060


@dataclass(frozen=True)
class Panel:
    """One plotting area of a stacked figure: its vertical axis and where it stands, as shares of the plot's height."""

    axis: Literal["y", "y2", "y3", "y4"]
    bottom: float
    top: float

    @property
    def layout_key(self) -> str:
        return self.axis.replace("y", "yaxis")


def bind(run_id: str, metric: str, *, divisor: float, column: str = "value", last: bool = False) -> dict[str, Any]:
    """The ``meta`` of a trace whose numbers come from a series; ``last`` shows its newest point alone."""
    return {"bind": {"run": run_id, "metric": metric, "column": column, "divisor": divisor, "last": last}}


def label(x: float, y: float, text: str, *, colour: str, **place: Any) -> Annotation:
    """A text at a place in paper coordinates unless ``place`` says otherwise."""
    return {
        "x": x,
        "y": y,
        "text": text,
        "showarrow": False,
        "xref": "paper",
        "yref": "paper",
        "xanchor": "left",
        "yanchor": "middle",
        "font": {"color": colour, "size": 12},
        **place,
    }


def log_position(value: float) -> float:
    """Where an annotation stands on a logarithmic axis; traces and shapes take the value itself."""
    return math.log10(value)


def log_ticks(low: float, high: float) -> list[float]:
    """Labelled ticks: decades, and 2 and 5 between them where there are less than two and a half decades."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    factors = (1, 2, 5) if math.log10(high / low) < 2.5 else (1,)
    return [value for power in range(first, last + 1) for f in factors if low <= (value := f * 10.0**power) <= high]
