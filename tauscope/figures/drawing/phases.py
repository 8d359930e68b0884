"""The phase diagram: a cell for each (n, W), told apart by colour, hatching and letter."""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from tauscope.figures.drawing.scales import tick_words
from tauscope.figures.drawing.style import QUIET, SMALL, THIN
from tauscope.figures.palette import LIGHT
from tauscope.figures.phases import PHASES
from tauscope.figures.rows import Panel

_LOOKS = {
    "window": (LIGHT.quality, 0.45, "", "E"),
    "good": (LIGHT.quality, 0.15, "....", "G"),
    "copies": (LIGHT.memorization, 0.45, "////", "C"),
    "neither": (LIGHT.control, 0.10, "", "–"),
    "differs": (LIGHT.control, 0.35, "\\\\\\\\", "≠"),
    "not measured": (LIGHT.surface, 1.0, "", "?"),
}
_LETTER: dict[str, Any] = {"ha": "center", "va": "center"}


def draw_phases(axes: Axes, panel: Panel) -> None:
    """Cells in the order of n and W, evenly spaced: a sweep seldom is."""
    sizes, widths = (sorted({value for row in panel.rows if (value := getattr(row, name)) is not None}) for name in ("n_train", "width"))
    axes.set_xlim(0, len(sizes))
    axes.set_ylim(0, len(widths))
    axes.set_xticks([k + 0.5 for k in range(len(sizes))], [tick_words(n) for n in sizes])
    axes.set_yticks([k + 0.5 for k in range(len(widths))], [str(width) for width in widths])
    axes.tick_params(length=0)
    axes.set_xlabel(panel.x_label)
    axes.set_ylabel(panel.y_label)
    for row in panel.rows:
        left, bottom = sizes.index(row.n_train), widths.index(row.width)
        axes.add_patch(_cell(left, bottom, row.status))
        axes.text(left + 0.5, bottom + 0.5, _LOOKS[row.status][3], size=SMALL, color=LIGHT.ink_1, **_LETTER, bbox=_patch())


def _cell(left: float, bottom: float, phase: str) -> Rectangle:
    colour, opacity, hatch, _ = _LOOKS[phase]
    face = _rgba(colour, opacity)
    return Rectangle((left, bottom), 1, 1, facecolor=face, edgecolor=QUIET, linewidth=THIN, hatch=hatch, label=phase)


def _patch() -> dict[str, object]:
    """A white ground, so that hatching does not run through a letter."""
    return {"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none", "alpha": 0.85}


def _rgba(colour: str, opacity: float) -> tuple[float, float, float, float]:
    red, green, blue = (int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5))
    return red, green, blue, opacity


def phase_key(panel: Panel) -> str:
    """What the letters mean, of the phases that occur."""
    seen = {row.status for row in panel.rows}
    return ";  ".join(f"{_LOOKS[phase][3]} {words}" for phase, words in PHASES.items() if phase in seen)
