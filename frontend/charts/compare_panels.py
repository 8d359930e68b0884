"""Where the two panels of a comparison stand, and what their shared axes hold."""

from collections.abc import Sequence
from typing import Any

from frontend.charts.axes import FOOT, HEAD, time_axes
from frontend.charts.compare_key import KEY_ROW, key_rows
from frontend.charts.compared import Line
from frontend.charts.figure import Panel, ViewOptions
from frontend.charts.labels import Frame
from frontend.charts.quality import quality_range
from frontend.charts.reading import metric_info, references_of, time_range
from frontend.comparison import Part
from tauscope.contracts.curves import Curves

_GAP, _ABOVE, _LEAST_PRINT = 44, 300, 270
_SHARES = {"quality": 0.53, "memorization": 0.47}


def shared_axes(panels: dict[str, Panel], frames: dict[str, Frame], x_range: tuple[float, float], options: ViewOptions) -> dict[str, Any]:
    """As on the watch page, but with every tick at the left: the names at line ends stand at the right."""
    axes = time_axes(panels, frames, 0, x_range, options)
    return axes | {"yaxis2": axes["yaxis2"] | {"side": "left"}}


def stacked_panels(parts: Sequence[Part], lines: Sequence[Line], options: ViewOptions) -> tuple[dict[str, Panel], float, float]:
    """Both panels, the height of the figure, and how much of it its key takes."""
    legend = KEY_ROW * key_rows(parts, lines, options)
    inner = (
        max(_LEAST_PRINT, 0.7 * options.plot_width) if options.print_mm else max(360.0, (options.viewport or 900) - _ABOVE - HEAD - FOOT)
    )
    lower = _SHARES["memorization"] * (1 - _GAP / inner)
    return {"quality": Panel("y", lower + _GAP / inner, 1.0), "memorization": Panel("y2", 0.0, lower)}, inner + HEAD + FOOT + legend, legend


def shared_time(parts: Sequence[Part], curves: Curves, options: ViewOptions) -> tuple[float, float]:
    """The time axis that holds every compared run."""
    ranges = [time_range(part.experiment.model_copy(update={"runs": part.runs}), curves, options) for part in parts]
    low, high = min(low for low, _ in ranges), max(high for _, high in ranges)
    return low / 1.18, high * (high / low) ** 0.10


def panel_frames(
    parts: Sequence[Part], curves: Curves, options: ViewOptions, metric: str, *, x_range: tuple[float, float], height: float
) -> dict[str, Frame]:
    """The ranges and sizes of both panels, which are ``height`` pixels high together."""
    ranges = [quality_range(part.experiment, curves, metric) for part in parts]
    quality = min(low for low, _ in ranges), max(high for _, high in ranges)
    log = metric_info(curves, metric).log_scale
    place = {"x_range": x_range, "width": options.plot_width}
    room = options.margins[1] - 4
    # Right of the distances stand the words on what a copier scores.
    beside = 0 if references_of(metric) else room
    heights = {name: share * height for name, share in _SHARES.items()}
    return {
        "quality": Frame(y_range=quality, height=heights["quality"], log_y=log, beyond=beside, **place),  # type: ignore[arg-type]
        "memorization": Frame(y_range=(-0.03, 1.03), height=heights["memorization"], log_y=False, beyond=room, floor=True, **place),  # type: ignore[arg-type]
    }
