"""Samples above their nearest training images, pixel by pixel; a copy is framed."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from tauscope.figures.drawing.style import LINE, Sheet, line_mm
from tauscope.figures.palette import LIGHT
from tauscope.figures.rows import Tiles

_LABELS, _GAP, _BELOW, _LEAST = 14.0, 0.6, 1.5, 64
"""Millimetres left of the pictures, between them and below them; pixels an edge has at least, so that viewers do not smooth it."""


def draw_pictures(sheet: Sheet, left: float, top: float, width: float, tiles: Tiles) -> float:
    """Two rows under their words; returns the place below them, in millimetres from the top."""
    sheet.text(left, top, tiles.words)
    edge, height = _edge_mm(width, tiles)
    top += _words_mm()
    both = 2 * height + _GAP
    # One pair of axes for all, in millimetres: an axes object for each picture takes longer than everything else.
    axes = sheet.axes(left + _LABELS, top, width - _LABELS, both)
    axes.set_axis_off()
    for row, (name, images) in enumerate((("generated", tiles.generated), ("nearest", tiles.nearest))):
        bottom = (1 - row) * (height + _GAP)
        sheet.text(left, top + both - bottom - height / 2, name, va="center")
        for place, image in enumerate(images):
            box = (place * (edge + _GAP), bottom, edge, height)
            _picture(axes, image, box, framed=row == 0 and tiles.is_copy[place])
    axes.set_xlim(0, width - _LABELS)
    axes.set_ylim(0, both)
    axes.set_aspect("auto")
    return top + both + _BELOW


def _picture(axes: Axes, image: NDArray[np.uint8], box: tuple[float, float, float, float], *, framed: bool) -> None:
    left, bottom, width, height = box
    times = max(1, -(-_LEAST // image.shape[1]))
    large = image.repeat(times, axis=0).repeat(times, axis=1)
    pixels = large[:, :, 0] if large.shape[2] == 1 else large
    grey: dict[str, Any] = {"cmap": "gray", "vmin": 0, "vmax": 255} if pixels.ndim == 2 else {}
    axes.imshow(pixels, interpolation="none", extent=(left, left + width, bottom, bottom + height), **grey)
    colour, line = (LIGHT.memorization, 1.6 * LINE) if framed else (LIGHT.rule, LINE / 2)
    frame = Rectangle((left, bottom), width, height, fill=False, edgecolor=colour, linewidth=line, clip_on=False)
    frame.set_label("copy" if framed else "")
    axes.add_patch(frame)


def pictures_mm(width: float, images: dict[str, Tiles]) -> float:
    """How tall the rows of all checkpoints are."""
    return sum(_words_mm() + 2 * _edge_mm(width, tiles)[1] + _GAP + _BELOW for tiles in images.values())


def _words_mm() -> float:
    return line_mm() + 0.5


def _edge_mm(width: float, tiles: Tiles) -> tuple[float, float]:
    """Width and height of a picture; the gaps stand between pictures alone."""
    count, rows, columns, _ = tiles.generated.shape
    edge = (width - _LABELS + _GAP) / count - _GAP
    return edge, edge * rows / columns
