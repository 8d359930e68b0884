"""The phase diagram: a cell for each (n, p), told apart by colour, hatching and letter, and a bracket where a boundary is known."""

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from tauscope.contracts.phase import CellState
from tauscope.figures.drawing.scales import tick_words
from tauscope.figures.drawing.style import QUIET, SMALL, THIN
from tauscope.figures.palette import LIGHT
from tauscope.figures.phases import PHASES
from tauscope.figures.rows import Panel, Row

_LOOKS = {
    CellState.MEMORIZES: (LIGHT.memorization, 0.45, "////", "M"),
    CellState.WINDOW: (LIGHT.quality, 0.25, "", "W"),
    CellState.CENSORED: (LIGHT.control, 0.10, "....", "C"),
    CellState.PLATEAU: (LIGHT.quality, 0.65, "", "P"),
    CellState.UNDEFINED: (LIGHT.surface, 1.0, "", "?"),
}
_LETTER: dict[str, Any] = {"ha": "center", "va": "center"}
_LANES = {"plateau": (0.88, "-"), "window": (0.12, ":")}


def draw_phases(axes: Axes, panel: Panel) -> None:
    """Cells in the order of n and p, evenly spaced: a sweep seldom is."""
    cells = panel.of("cell")
    sizes = sorted({row.n_train for row in cells if row.n_train is not None})
    networks = sorted({row.y for row in cells if row.y is not None})
    axes.set_xlim(0, len(sizes))
    axes.set_ylim(0, len(networks))
    axes.set_xticks([k + 0.5 for k in range(len(sizes))], [tick_words(n) for n in sizes])
    axes.set_yticks([k + 0.5 for k in range(len(networks))], [parameter_words(p) for p in networks])
    axes.tick_params(length=0)
    axes.set_xlabel(panel.x_label)
    axes.set_ylabel(panel.y_label)
    for row in cells:
        left, bottom = sizes.index(row.n_train or 0), networks.index(row.y or 0.0)
        axes.add_patch(_cell(left, bottom, CellState(row.status)))
        letter = _LOOKS[CellState(row.status)][3] + ("?" if row.setting else "")
        axes.text(left + 0.5, bottom + 0.5, letter, size=SMALL, color=LIGHT.ink_1, **_LETTER, bbox=_patch())
    for row in panel.of("boundary"):
        _draw_bracket(axes, row, sizes, networks)


def _draw_bracket(axes: Axes, row: Row, sizes: Sequence[int], networks: Sequence[float]) -> None:
    if row.x_low is None or row.x_high is None or row.y is None:
        return
    lane, dashes = _LANES[row.quantity]
    x = [sizes.index(int(end)) + 0.5 for end in (row.x_low, row.x_high)]
    y = [networks.index(row.y) + lane] * 2
    axes.plot(x, y, color="white", linewidth=3.0)
    axes.plot(x, y, color=LIGHT.ink_1, linewidth=1.2, linestyle=dashes)
    axes.plot(x, y, color=LIGHT.ink_1, linestyle="none", marker="|", markersize=5)


def parameter_words(parameters: float) -> str:
    """``45k``, ``4.02M``: room for a tick."""
    return f"{parameters / 1e6:.3g}M" if parameters >= 1e6 else f"{parameters / 1e3:.3g}k"


def _cell(left: float, bottom: float, phase: CellState) -> Rectangle:
    colour, opacity, hatch, _ = _LOOKS[phase]
    face = _rgba(colour, opacity)
    return Rectangle((left, bottom), 1, 1, facecolor=face, edgecolor=QUIET, linewidth=THIN, hatch=hatch, label=str(phase))


def _patch() -> dict[str, object]:
    """A white ground, so that hatching does not run through a letter."""
    return {"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none", "alpha": 0.85}


def _rgba(colour: str, opacity: float) -> tuple[float, float, float, float]:
    red, green, blue = (int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5))
    return red, green, blue, opacity


def phase_key(panel: Panel) -> str:
    """What the letters mean, of the states that occur, and the brackets."""
    cells = panel.of("cell")
    seen = {row.status for row in cells}
    words = [f"{_LOOKS[phase][3]} {words}" for phase, words in PHASES.items() if phase in seen]
    words += ["?: another state is possible"] if any(row.setting for row in cells) else []
    drawn = {row.quantity for row in panel.of("boundary") if row.x_low is not None and row.x_high is not None}
    words += [name for kind, name in (("plateau", "solid: n*"), ("window", "dotted: M to W")) if kind in drawn]
    return ";  ".join(words)
