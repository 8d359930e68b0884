"""What a figure description is made of."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from frontend.theme import PALETTES, Palette, ThemeName
from frontend.words import Axis

Trace = dict[str, Any]
Shape = dict[str, Any]
Annotation = dict[str, Any]


class FigureError(ValueError):
    """A figure that would mislead was asked for."""


View = Literal["stacked", "overlay", "path"]
Part = Literal["quality", "memorization", "losses"]


@dataclass(frozen=True)
class ViewOptions:
    """What the viewer chose; every field of a page stands in its address. ``apart`` draws each seed by itself. ``part`` and
    ``print_mm`` are an export's, ``right`` is a page's own room at the right where no states of runs stand, ``left``
    that of long names of runs, in pixels."""

    axis: Axis = "tau"
    view: View = "stacked"
    quality: str | None = None
    focus: str | None = None
    losses: int | None = None
    theme: ThemeName = "light"
    viewport: int | None = None
    width: int | None = None
    talk: bool = False
    apart: bool = False
    right: int | None = None
    left: int | None = None
    part: Part | None = None
    print_mm: int | None = None

    @property
    def palette(self) -> Palette:
        return PALETTES[self.theme]

    @property
    def pixels(self) -> float:
        """Width of the whole figure: of the print at 96 pixels an inch, or the viewer's, assumed until it is known."""
        return self.print_mm * _PIXELS_PER_MM if self.print_mm else float(self.width or _ASSUMED_WIDTH)

    @property
    def narrow(self) -> bool:
        """Whether there is room for short words only."""
        return self.pixels < _NARROW

    @property
    def margins(self) -> tuple[int, int]:
        """Room at the sides for row names and ticks, and for states, in pixels."""
        if self.print_mm:
            return 46, 52
        left, right = (62, 78) if self.narrow else (self.left or 84, self.right or 196)
        return (round(left * TALK), round(right * TALK)) if self.talk else (left, right)

    @property
    def plot_width(self) -> float:
        """Width of the plotting area in pixels."""
        return max(120.0, self.pixels - sum(self.margins))


TALK = 1.35  # How much larger everything is on a projector.
_ASSUMED_WIDTH = 1060
_NARROW = 600
_PIXELS_PER_MM = 96 / 25.4


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
    """The ``meta`` of a trace whose numbers come from a series over time; ``last`` shows its newest point alone."""
    return {"bind": {"run": run_id, "metric": metric, "column": column, "divisor": divisor, "last": last}}


def bind_many(runs: Iterable[tuple[str, float]], metric: str, *, last: bool = False) -> dict[str, Any]:
    """The ``meta`` of one trace for the same series of many runs, each with its divisor; their lines are kept apart by gaps."""
    return {"bind": {"runs": list(runs), "metric": metric, "last": last}}


def bind_path(run_id: str, metric: str, against: str, *, window: tuple[float, float] | None = None, last: bool = False) -> dict[str, Any]:
    """The ``meta`` of a trace of one series against another of the same run, at the steps of the latter.

    ``metric`` is interpolated in log time where it was not measured at such a step; ``window`` keeps the steps within it.
    """
    return {"bind": {"run": run_id, "metric": metric, "against": against, "window": window, "last": last}}


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
