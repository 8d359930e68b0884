"""The marks of an onset below its panel, a line for each n: a mark with its interval, or an arrow where there is no value."""

from collections.abc import Sequence

from matplotlib.axes import Axes

from tauscope.figures.drawing.curves import Colours
from tauscope.figures.drawing.style import LINE, SMALL
from tauscope.figures.onset_rows import SYMBOLS
from tauscope.figures.rows import Panel, Row

MARKERS = {"tau_gen": "o", "tau_mem": "^"}
_ARROW = 14.0  # Points.


def draw_rail(axes: Axes, panel: Panel, colours: Colours) -> None:
    """The onsets of a panel on axes that share its time; the smallest n above."""
    rows = panel.of("onset")
    sizes = list(dict.fromkeys(row.n_train for row in rows))
    axes.set_ylim(len(sizes) - 0.4, -0.6)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_ylabel(SYMBOLS[panel.onset], rotation=0, ha="right", va="center", labelpad=6)
    axes.set_xlabel(panel.x_label)
    for row in rows:
        draw_onset(axes, row, sizes.index(row.n_train), colours[row.n_train])


def draw_onset(axes: Axes, row: Row, line: int, colour: str) -> None:
    """One onset on its line; only one that was reached gets a mark."""
    left, right = axes.get_xlim()
    if row.x is not None:
        low = row.x if row.x_low is None else row.x_low
        high = row.x if row.x_high is None else row.x_high
        ends = [max(low, left), min(high, right)]
        axes.plot(ends, [line, line], color=colour, linewidth=LINE, marker="|", markersize=3, label="interval")
        axes.plot([row.x], [line], MARKERS[row.quantity], color=colour, markersize=3.5, markeredgewidth=0, label=f"onset:{row.quantity}")
    elif row.status == "censored":
        _arrow(axes, row.x_low if row.x_low is not None else left, line, colour, forward=True)
    elif row.status == "before_first":
        _arrow(axes, row.x_high if row.x_high is not None else left, line, colour, forward=False)
    else:
        axes.annotate("not measured", (left, line), size=SMALL, color=colour, va="center")


def _arrow(axes: Axes, x: float, line: float, colour: str, *, forward: bool) -> None:
    """A bar at the last (or first) step that is known, and an arrow away from it."""
    axes.plot([x], [line], marker="|", markersize=4, color=colour, label="bound")
    point_away(axes, (x, line), (_ARROW if forward else -_ARROW, 0), colour)


def point_away(axes: Axes, place: tuple[float, float], offset: tuple[float, float], colour: str) -> None:
    """An arrow from a place in the data to so many points beside it."""
    # Drawn from its head backwards, since only the text of an annotation can be placed in points.
    shape = {"arrowstyle": "<-", "color": colour, "linewidth": LINE, "shrinkA": 0, "shrinkB": 0, "mutation_scale": 6}
    axes.annotate("", place, offset, textcoords="offset points", arrowprops=shape, annotation_clip=False)


def heights(rows: Sequence[Row]) -> float:
    """How tall the rail is, in millimetres."""
    lines = len({row.n_train for row in rows})
    return lines * min(2.6, 24 / max(lines, 1)) + 1
