"""Where the panels of both figures stand: two columns on 175 mm, one below the other on 85 mm."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from tauscope.figures.drawing.curves import Colours, draw_curves, say_why_empty
from tauscope.figures.drawing.law import draw_law, law_keys
from tauscope.figures.drawing.phases import draw_phases, phase_key
from tauscope.figures.drawing.pictures import draw_pictures, pictures_mm
from tauscope.figures.drawing.rail import MARKERS, draw_rail, heights
from tauscope.figures.drawing.scales import set_log
from tauscope.figures.drawing.style import INK, LINE, QUIET, SMALL, THIN, TYPE, Sheet, line_mm, n_lines
from tauscope.figures.drawing.wrapping import wrapped
from tauscope.figures.onset_rows import SYMBOLS
from tauscope.figures.palette import LIGHT, n_colours
from tauscope.figures.rows import Panel, Plan, Tiles

_EDGE, _GUTTER, _AXIS, _BELOW, _RAIL_GAP = 1.5, 5.0, 13.0, 9.5, 1.2
_ASCENT = 2.3
_MOST_NAMED, _FEW_NAMED = 12, 6
_CURVES, _LAW, _EMPTY, _BETWEEN = 40.0, 52.0, 12.0, 3.5
"""Millimetres: page edge, between columns, left of axes, below them, above a rail; the height of axes; between rows of panels."""


@dataclass(frozen=True)
class Block:
    """A panel with its words broken to the width of its column."""

    panel: Panel
    width: float
    body: float
    head: str
    note: str

    @property
    def above(self) -> float:
        """The height of its words."""
        return n_lines(self.head) * line_mm(TYPE) + n_lines(self.note) * line_mm() + 2.0

    @property
    def height(self) -> float:
        """Words and drawing."""
        return self.above + self.body


def draw(plan: Plan, width_mm: int) -> Figure:
    """The whole figure; the caller holds the style."""
    columns = min(2, len(plan.panels)) if width_mm > 100 else 1
    width = (width_mm - 2 * _EDGE - (columns - 1) * _GUTTER) / columns
    blocks = [_block(panel, width, plan.images) for panel in plan.panels]
    rows = [blocks[start : start + columns] for start in range(0, len(blocks), columns)]
    keys = _keys(plan)
    key_rows = _key_rows(keys, width_mm)
    foot = "\n".join(wrapped(words, width_mm - 2 * _EDGE, SMALL) for words in plan.notes)
    head = _EDGE + key_rows * (line_mm(TYPE) + 0.6) + (2.0 if keys else 0)
    height = head + sum(_row_mm(row) + _BETWEEN for row in rows) + n_lines(foot) * line_mm() + _EDGE
    sheet = Sheet(width_mm, height)
    _draw_keys(sheet, keys, key_rows)
    colours = colours_of(plan)
    top = head
    for row in rows:
        above = max(block.above for block in row)
        for place, block in enumerate(row):
            _draw_block(sheet, block, _EDGE + place * (width + _GUTTER), top, above, colours=colours, images=plan.images)
        top += _row_mm(row) + _BETWEEN
    sheet.text(_EDGE, top, foot)
    return sheet.figure


def colours_of(plan: Plan) -> Colours:
    """Lightness follows n."""
    return {None: LIGHT.ink_1, **dict(zip(plan.sizes, n_colours(len(plan.sizes), LIGHT), strict=True))}


def _row_mm(row: Sequence[Block]) -> float:
    return max(block.above for block in row) + max(block.body for block in row)


def _block(panel: Panel, width: float, images: dict[str, Tiles]) -> Block:
    head = wrapped(f"{panel.letter}   {panel.title}", width, TYPE * 1.06)
    note = wrapped(panel.note, width, SMALL) if not panel.empty else ""
    return Block(panel, width, _body_mm(panel, width, images), head, note)


def _body_mm(panel: Panel, width: float, images: dict[str, Tiles]) -> float:
    if panel.empty:
        return _EMPTY
    if panel.of("image"):
        return pictures_mm(width, images)
    if panel.of("cell"):
        return _LAW + _BELOW + 2 * line_mm()
    if panel.of("fit", "onset") and not panel.onset:
        return _LAW + _BELOW
    rail = _RAIL_GAP + heights(panel.of("onset")) if panel.onset else 0
    return _CURVES + rail + _BELOW


def _draw_block(sheet: Sheet, block: Block, left: float, top: float, above: float, *, colours: Colours, images: dict[str, Tiles]) -> None:
    """Words at the top, the drawing below those of the tallest neighbour."""
    panel = block.panel
    letter, _, rest = block.head.partition("   ")
    # On one base line: aligned at their tops, a letter without an ascender would stand higher.
    first: dict[str, Any] = {"va": "baseline", "size": TYPE, "color": INK}
    sheet.text(left, top + _ASCENT, letter, weight="bold", **first)
    sheet.text(left + 4, top + (_ASCENT if "\n" not in rest else 0), rest, **(first if "\n" not in rest else first | {"va": "top"}))
    sheet.text(left, top + n_lines(block.head) * line_mm(TYPE) + 0.3, block.note)
    below = top + above
    if panel.of("image"):
        for tiles in images.values():
            below = draw_pictures(sheet, left, below, block.width, tiles)
        return
    if panel.empty:
        say_why_empty(sheet.axes(left, top + block.above, block.width, _EMPTY), panel, block.width)
        return
    inner = (left + _AXIS, block.width - _AXIS - 1)
    if panel.of("cell"):
        draw_phases(sheet.axes(inner[0], below, inner[1], _LAW), panel)
        sheet.text(left, below + _LAW + _BELOW, wrapped(phase_key(panel), block.width, SMALL))
    elif panel.of("fit", "onset") and not panel.onset:
        draw_law(sheet.axes(inner[0], below, inner[1], _LAW), panel)
    else:
        _draw_curves(sheet, panel, inner, below, colours)


def _draw_curves(sheet: Sheet, panel: Panel, inner: tuple[float, float], top: float, colours: Colours) -> None:
    left, width = inner
    axes = sheet.axes(left, top, width, _CURVES)
    x_range = time_range(panel)
    draw_curves(axes, panel, colours, x_range)
    if not panel.onset:
        axes.set_xlabel(panel.x_label)
        return
    axes.tick_params(labelbottom=False)
    rail = sheet.axes(left, top + _CURVES + _RAIL_GAP, width, heights(panel.of("onset")))
    set_log(rail, "x", *x_range)
    draw_rail(rail, panel, colours)


def time_range(panel: Panel) -> tuple[float, float]:
    """From the first measurement to the last, with room for arrows."""
    times = [row.x for row in panel.rows if row.x is not None and row.x > 0 and row.kind != "onset"]
    low, high = (min(times), max(times)) if times else (1.0, 10.0)
    high = max(high, low * 3)
    return low / 1.12, high * (1.45 if panel.onset else 1.12)


def _keys(plan: Plan) -> list[Line2D]:
    if plan.number == 3:
        settings = dict.fromkeys((row.setting, row.width) for row in plan.panels[0].of("onset"))
        names = {setting: f"W = {width}" if width is not None else setting for setting, width in settings}
        return law_keys(plan.panels[0], names) if plan.panels[0].of("onset") else []
    colours = colours_of(plan)
    lines = [Line2D([], [], color=colours[n], linewidth=LINE * 1.6, label=f"n = {n:,}") for n in _named(plan.sizes)]
    onsets = [panel.onset for panel in plan.panels if panel.onset]
    marks = [
        Line2D([], [], color=QUIET, marker=MARKERS[name], markersize=3.5, markeredgewidth=0, linewidth=LINE, label=f"{SYMBOLS[name]}, 95 %")
        for name in onsets
    ]
    control = [Line2D([], [], color=LIGHT.control, linewidth=THIN, linestyle=(0, (3, 1.5)), label="held-out control")]
    return [*lines, *marks, *(control if any(panel.of("control") for panel in plan.panels) else [])]


def _named(sizes: Sequence[int]) -> list[int]:
    """Every n, or so many of them that their shades tell the others."""
    if len(sizes) <= _MOST_NAMED:
        return list(sizes)
    return [sizes[round(k * (len(sizes) - 1) / (_FEW_NAMED - 1))] for k in range(_FEW_NAMED)]


def _key_rows(keys: Sequence[Line2D], width_mm: float) -> int:
    per_row = _per_row(width_mm)
    return -(-len(keys) // per_row)


def _per_row(width_mm: float) -> int:
    return 7 if width_mm > 100 else 3


def _draw_keys(sheet: Sheet, keys: list[Line2D], rows: int) -> None:
    if not keys:
        return
    per_row = _per_row(sheet.width)
    # A legend fills column by column; these read row by row.
    columns = min(per_row, len(keys))
    ordered = [keys[row * columns + column] for column in range(columns) for row in range(rows) if row * columns + column < len(keys)]
    sheet.figure.legend(
        handles=ordered,
        loc="upper left",
        bbox_to_anchor=(_EDGE / sheet.width, 1 - _EDGE / sheet.height),
        ncols=columns,
        frameon=False,
        fontsize=SMALL,
        handlelength=1.6,
        handletextpad=0.4,
        columnspacing=1.2,
        borderpad=0,
        borderaxespad=0,
        labelspacing=0.35,
    )
