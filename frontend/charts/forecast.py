"""A foretold tau_mem on the time axis: a hollow mark with a thin bar, and the window that is expected until its lower end."""

from typing import Any, Literal

from frontend.charts.figure import Shape, Trace, ViewOptions
from frontend.charts.marks import SIZES, SYMBOLS, onset_colour
from frontend.charts.reading import divisor
from frontend.charts.window import window_of
from frontend.theme import Palette, with_opacity
from tauscope.contracts.forecasts import Forecast
from tauscope.contracts.onsets import OnsetStatus
from tauscope.contracts.run_views import RunView

_BAR = 1.3


def forecast_of(run: RunView) -> Forecast | None:
    """The forecast that a run's marks show: one with numbers, while tau_mem is not measured."""
    onset = run.onsets.get("tau_mem")
    known = onset is not None and onset.status in {OnsetStatus.REACHED, OnsetStatus.BEFORE_FIRST}
    return run.forecast if run.forecast is not None and run.forecast.median is not None and not known else None


def hollow(bar: dict[str, Any], side: Literal["error_x", "error_y"], palette: Palette) -> dict[str, Any]:
    """The look of a forecast of tau_mem: a hollow diamond with a thin bar."""
    colour = onset_colour("tau_mem", palette)
    marker = {"symbol": f"{SYMBOLS['tau_mem']}-open", "size": SIZES["tau_mem"], "color": colour, "line": {"color": colour, "width": _BAR}}
    return {"marker": marker, side: {**bar, "color": colour, "thickness": _BAR, "width": 4}}


def forecast_marks(run: RunView, *, y: float, yaxis: str, end: float, options: ViewOptions) -> list[Trace]:
    """A hollow diamond with its 80 % interval; nothing where its middle lies beyond ``end``, the axis' last step."""
    made = forecast_of(run)
    if made is None or made.median is None or made.low is None or made.high is None:
        return []
    by = divisor(run, options)
    if made.median / by > end:
        return []
    bar = {"type": "data", "array": [(min(made.high / by, end) - made.median / by)], "arrayminus": [(made.median - made.low) / by]}
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "x": [made.median / by],
            "y": [y],
            "yaxis": yaxis,
            **hollow(bar, "error_x", options.palette),
            "hoverinfo": "skip",
            "showlegend": False,
            "cliponaxis": False,
            "meta": {"onset": "tau_mem", "status": "forecast"},
        }
    ]


def forecast_window(run: RunView, *, opacity: float, options: ViewOptions) -> Shape | None:
    """The part of an open window that lies ahead, to the forecast's lower end, in half the tint; its vertical place is the caller's."""
    window, made = window_of(run), forecast_of(run)
    if window is None or not window.open or made is None or made.low is None or made.low <= window.end:
        return None
    by = divisor(run, options)
    fill = with_opacity(options.palette.quality, opacity / 2)
    return {
        "type": "rect",
        "xref": "x",
        "x0": window.end / by,
        "x1": made.low / by,
        "fillcolor": fill,
        "line": {"width": 0},
        "layer": "below",
    }
