"""A figure for paper, its type at 8 points; and one for a projector, everything larger."""

from collections.abc import Callable
from typing import Any

from frontend.charts.figure import TALK, ViewOptions

_TYPE = 8 * 96 / 72  # 8 points in pixels.
_LINES = 0.7
_FONTS = ("font", "tickfont")
PRINT_WIDTHS = (85, 175)


def printed(figure: dict[str, Any], options: ViewOptions) -> dict[str, Any]:
    """The same figure with every text at 8 points and thinner lines; its pixels are 1/96 inch."""
    made = _resized(figure, lambda size: _TYPE, _LINES)
    made["layout"] |= {"width": round(options.pixels), "hovermode": False}
    return made


def projected(figure: dict[str, Any]) -> dict[str, Any]:
    """The same figure with text and lines enlarged."""
    return _resized(figure, lambda size: size * TALK, TALK)


def _resized(figure: dict[str, Any], size: Callable[[float], float], lines: float) -> dict[str, Any]:
    made: dict[str, Any] = _with_type(figure, size)
    made["data"] = [_with_lines(trace, lines) for trace in made["data"]]
    return made


def _with_type(value: Any, size: Callable[[float], float]) -> Any:
    if isinstance(value, dict):
        return {
            key: {**item, "size": size(item.get("size", 12))} if key in _FONTS and isinstance(item, dict) else _with_type(item, size)
            for key, item in value.items()
        }
    return [_with_type(item, size) for item in value] if isinstance(value, list) else value


def _with_lines(trace: dict[str, Any], factor: float) -> dict[str, Any]:
    line, marker = trace.get("line"), trace.get("marker")
    if isinstance(line, dict) and "width" in line:
        trace = {**trace, "line": {**line, "width": line["width"] * factor}}
    if isinstance(marker, dict) and isinstance(marker.get("size"), int | float):
        trace = {**trace, "marker": {**marker, "size": marker["size"] * factor}}
    return trace
