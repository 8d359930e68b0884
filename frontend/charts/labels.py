"""Labels at line ends, placed where they meet neither a line nor each other."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from frontend.charts.figure import Annotation, log_position
from frontend.words import joined_names

_CANDIDATES = (
    ("left", 12, 0),
    ("center", 0, 15),
    ("center", 0, -15),
    ("left", 12, 15),
    ("left", 12, -15),
    ("right", -10, 15),
    ("left", 12, 28),
    ("left", 12, -28),
    ("left", 12, 45),
    ("left", 12, -45),
    ("left", 12, 62),
    ("right", -12, 0),
    ("center", 0, 32),
    ("center", 0, -32),
    ("right", -10, -15),
)
_WORDS = 150  # Pixels that the words on a threshold take.
_PER_LETTER = 6.6  # Pixels of a letter of such words.
_HARMLESS = 3  # Dots of a line that words may stand on.
_APART = 6  # Pixels between the dots that stand for a line; no label slips between them.
_Box = tuple[float, float, float, float]  # Left, bottom, right, top in pixels.
_Place = TypeVar("_Place")


@dataclass(frozen=True)
class Frame:
    """The ranges of a panel and its size in pixels, to turn data into pixels.

    ``walls`` are upright lines through it that labels keep clear of, ``beyond`` the pixels at its right that are free for labels,
    and ``floor`` says that the words of the time axis stand right below it.
    """

    x_range: tuple[float, float]
    y_range: tuple[float, float]
    width: float
    height: float
    log_y: bool
    log_x: bool = True
    walls: tuple[float, ...] = ()
    beyond: float = 0.0
    floor: bool = False

    def pixels(self, x: float, y: float) -> tuple[float, float]:
        """Place in the panel, from its lower left corner."""
        return self.width * _share(x, self.x_range, log=self.log_x), self.height * _share(y, self.y_range, log=self.log_y)


@dataclass(frozen=True)
class LineEnd:
    """A line and the text that belongs at its end."""

    points: tuple[tuple[float, float], ...]
    text: str
    colour: str
    bold: bool


class Room:
    """What stands in a panel: curves, dotted levels, upright lines, and the words that have found their place already."""

    def __init__(self, frame: Frame, ends: Sequence[LineEnd], levels: Sequence[float] = ()) -> None:
        self.frame, self.ends = frame, [end for end in ends if end.points]
        self._taken: list[_Box] = []
        dots = [dot for end in self.ends for dot in _dots(end, frame)]
        dots += [(x, self._height(level)) for level in levels for x in range(0, int(frame.width), _APART)]
        dots += [(frame.pixels(x, frame.y_range[0])[0], y) for x in frame.walls for y in range(0, int(frame.height), _APART)]
        self._dots = np.array(dots, dtype=np.float64).reshape(-1, 2)

    def keep(self, level: float) -> None:
        """Words of unknown length stand on a level, at its left."""
        self._taken.append((8, self._height(level), 8 + _WORDS, self._height(level) + 16))

    def words(self, level: float, text: str, colour: str, yaxis: str) -> Annotation:
        """Words on a level: at its left, or where they meet no line."""
        length, y = _PER_LETTER * len(text), self._height(level)
        places = [(left, side) for left in self._lefts(length) for side in ("bottom", "top")]
        boxes = [((left, side), (left, low := y + (2 if side == "bottom" else -18), left + length, low + 16)) for left, side in places]
        left, side = self._freest(boxes)
        place = {
            "xref": "paper",
            "xanchor": "left",
            "xshift": left,
            "yref": yaxis,
            "yanchor": side,
            "yshift": 2 if side == "bottom" else -2,
        }
        at = log_position(level) if self.frame.log_y else level
        return {"x": 0, "y": at, **place, "text": text, "showarrow": False, "font": {"color": colour, "size": 12}}

    def labels(self, yaxis: str, *, sparing: bool = False) -> list[Annotation]:
        """One annotation for every line, the highest first; ``sparing`` leaves those out that would stand on something or be cut."""
        found = []
        for end in sorted(_together(self.ends, self.frame), key=lambda end: -end.points[-1][1]):
            at = self.frame.pixels(*end.points[-1])
            places = [(candidate, _box(at, len(end.text), candidate)) for candidate in _CANDIDATES]
            if sparing and all(self._conflicts(box) > _HARMLESS for _, box in places):
                continue
            found.append(_annotation(end, self.frame, yaxis, self._freest(places)))
        return found

    def _height(self, level: float) -> float:
        return self.frame.pixels(self.frame.x_range[1], level)[1]

    def _lefts(self, length: float) -> list[float]:
        """Places along a level from left to right, as the left edge of words; the panel's own left edge even where they are too long."""
        free = self.frame.width - length - 16
        return [8.0, *(8.0 + free * part / 4 for part in range(1, 5) if free > 0)]

    def _freest(self, places: Sequence[tuple[_Place, _Box]]) -> _Place:
        """The first of the places that meet the least; it is taken from then on."""
        place, box = min(places, key=lambda item: self._conflicts(item[1]))
        self._taken.append(box)
        return place

    def _conflicts(self, box: _Box) -> int:
        return _conflicts(box, self._dots, self._taken, self.frame)


def end_labels(
    ends: Sequence[LineEnd], frame: Frame, yaxis: str, *, levels: Sequence[float] = (), lines: Sequence[float] = (), sparing: bool = False
) -> list[Annotation]:
    """One annotation for every line that has points, clear of thresholds: ``levels`` with words at their left, ``lines`` without.

    For ``sparing`` see ``Room.labels``.
    """
    room = Room(frame, ends, [*levels, *lines])
    for level in levels:
        room.keep(level)
    return room.labels(yaxis, sparing=sparing)


def _together(ends: Sequence[LineEnd], frame: Frame) -> list[LineEnd]:
    """Lines that end at the same place share a label: ``n = 16, 32, 64``."""
    found: list[LineEnd] = []
    for end in ends:
        x, y = frame.pixels(*end.points[-1])
        for position, other in enumerate(found):
            at = frame.pixels(*other.points[-1])
            if abs(at[0] - x) < 12 and abs(at[1] - y) < 9:
                bold = end if end.bold else other
                found[position] = LineEnd(other.points, joined_names([other.text, end.text]), bold.colour, bold.bold)
                break
        else:
            found.append(end)
    return found


def _annotation(end: LineEnd, frame: Frame, yaxis: str, candidate: tuple[str, int, int]) -> Annotation:
    x, y = end.points[-1]
    anchor, shift_x, shift_y = candidate
    return {
        "x": log_position(x) if frame.log_x else x,
        "y": log_position(y) if frame.log_y else y,
        "xref": "x",
        "yref": yaxis,
        "text": f"<b>{end.text}</b>" if end.bold else end.text,
        "font": {"color": end.colour, "size": 13},
        "showarrow": False,
        "name": "end",
        "xanchor": anchor,
        "yanchor": "middle",
        "xshift": shift_x,
        "yshift": shift_y,
    }


def _share(value: float, bounds: tuple[float, float], *, log: bool) -> float:
    low, high = (math.log(max(bound, 1e-12)) for bound in bounds) if log else bounds
    return ((math.log(max(value, 1e-12)) if log else value) - low) / ((high - low) or 1.0)


def _dots(end: LineEnd, frame: Frame) -> list[tuple[float, float]]:
    """A line as pixels close enough together that no label slips between them."""
    corners = [frame.pixels(x, y) for x, y in end.points]
    dots = []
    for (x0, y0), (x1, y1) in itertools.pairwise(corners):
        count = max(1, int(max(abs(x1 - x0), abs(y1 - y0)) // _APART))
        dots += [(x0 + (x1 - x0) * k / count, y0 + (y1 - y0) * k / count) for k in range(count)]
    return dots + corners[-1:]


def _box(at: tuple[float, float], length: int, candidate: tuple[str, int, int]) -> _Box:
    anchor, shift_x, shift_y = candidate
    width = 7.2 * length
    left = at[0] + shift_x - {"left": 0.0, "center": width / 2, "right": width}[anchor]
    return left, at[1] + shift_y - 8, left + width, at[1] + shift_y + 8


def _conflicts(box: _Box, dots: Float[ndarray, "dot 2"], placed: Sequence[_Box], frame: Frame) -> int:
    left, bottom, right, top = box
    over_lines = int(((dots > (left, bottom)) & (dots < (right, top))).all(axis=1).sum())
    over_labels = sum(left < other[2] and other[0] < right and bottom < other[3] and other[1] < top for other in placed)
    below = 30 * (bottom < -2) if frame.floor else 4 * (bottom < -16)
    outside = below + 30 * (right > frame.width + frame.beyond) + 30 * (left < 0) + 30 * (top > frame.height + 8)
    return over_lines + 1000 * over_labels + outside
