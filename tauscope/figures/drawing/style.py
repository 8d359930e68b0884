"""Type, lines and places: sizes in points and millimetres, as papers ask for them.

The type is DejaVu Sans, which comes with Matplotlib: its metrics, and so the layout, are the same on every machine, it has the
Greek letters and subscripts, and its licence lets it be embedded. The dashboard's IBM Plex lies in WOFF2, which Matplotlib
cannot read.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

import matplotlib as mpl
from matplotlib import _mathtext
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.mathtext import MathTextParser

from tauscope.figures.palette import LIGHT

TYPE, SMALL, SMALLEST = 8.0, 7.2, 6.6
"""Points. Journals ask for 6 or 6.5 at least, which holds for indices and exponents too."""
LINE, THIN = 1.0, 0.5
MM = 25.4
INK, QUIET = LIGHT.ink_1, LIGHT.ink_2
BAND = 0.16

_STYLE: Any = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Helvetica", "Arial", "sans-serif"],
    "font.size": TYPE,
    "mathtext.fontset": "dejavusans",
    "svg.fonttype": "none",  # Text stays text.
    "svg.hashsalt": "tauscope",  # The same figure has the same bytes.
    "pdf.fonttype": 42,  # TrueType, which editors can change and journals accept.
    "axes.linewidth": THIN,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "axes.labelsize": TYPE,
    "axes.labelpad": 2.0,
    "axes.unicode_minus": True,
    "text.color": INK,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.major.width": THIN,
    "ytick.major.width": THIN,
    "xtick.major.pad": 2.0,
    "ytick.major.pad": 2.0,
    "lines.linewidth": LINE,
    "hatch.linewidth": THIN,
    "image.composite_image": False,
}
# Matplotlib's settings belong to the whole process.
_settings = Lock()


@contextmanager
def house_style() -> Iterator[None]:
    """The settings of these figures, whatever the user's are; one figure at a time."""
    with _settings, mpl.rc_context(), _readable_scripts():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        yield


@contextmanager
def _readable_scripts() -> Iterator[None]:
    """Indices and exponents no smaller than ``SMALLEST``; Matplotlib has no setting for it, and its 0.7 are 5 points here."""
    usual, forget = _mathtext.SHRINK_FACTOR, MathTextParser._parse_cached.cache_clear  # type: ignore[attr-defined]
    _mathtext.SHRINK_FACTOR = SMALLEST / SMALL
    forget()
    try:
        yield
    finally:
        _mathtext.SHRINK_FACTOR = usual
        forget()


class Sheet:
    """A page of a given width on which axes are placed in millimetres from its top left corner."""

    def __init__(self, width_mm: float, height_mm: float) -> None:
        self.width, self.height = width_mm, height_mm
        self.figure = Figure(figsize=(width_mm / MM, height_mm / MM), facecolor="white")

    def axes(self, left: float, top: float, width: float, height: float, **options: Any) -> Axes:
        """Axes without a top and a right edge."""
        place = (left / self.width, 1 - (top + height) / self.height, width / self.width, height / self.height)
        axes = self.figure.add_axes(place, **options)
        axes.spines[["top", "right"]].set_visible(False)
        return axes

    def text(self, left: float, top: float, words: str, **options: Any) -> None:
        """Words whose upper left corner is at a place."""
        given: dict[str, Any] = {"size": SMALL, "color": QUIET, "va": "top", "ha": "left", "linespacing": 1.35} | options
        self.figure.text(left / self.width, 1 - top / self.height, words, **given)


def n_lines(words: str) -> int:
    """Lines that a text takes."""
    return words.count("\n") + 1 if words else 0


def line_mm(size: float = SMALL) -> float:
    """The height of a line of type."""
    return size * 1.4 * MM / 72
