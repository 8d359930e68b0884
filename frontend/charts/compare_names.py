"""The names at the line ends of a comparison."""

from collections.abc import Mapping, Sequence

from frontend.charts.compared import Line
from frontend.charts.definitions import marked_name
from frontend.charts.figure import Annotation, Panel, ViewOptions
from frontend.charts.labels import LineEnd, Room
from frontend.charts.panels import crowded
from frontend.charts.reading import NEVER, divisor, series_of
from frontend.theme import with_opacity
from tauscope.contracts.curves import Curves

_ROOMY = 4  # Names that find room on a narrow screen.


def line_ends_of(lines: Sequence[Line], metric: str, drawn: Curves, options: ViewOptions, otherwise: Mapping[str, str]) -> list[LineEnd]:
    """Each line with its name; of very many the first and the last of each experiment, and the focused one."""
    few = not crowded(drawn) and not (options.narrow and len(lines) > _ROOMY)
    shown = {line.key for line in (lines if few else _labelled(lines))}
    found = []
    for line in lines:
        series = series_of(drawn, line.run, metric)
        if series is None or divisor(line.run, options) >= NEVER or (line.key not in shown and line.key != options.focus):
            continue
        by, focus = divisor(line.run, options), line.key == options.focus
        points = tuple((step / by, value) for step, value in zip(series.step, series.value, strict=True) if value is not None and step > 0)
        name = marked_name(line) if line.key in otherwise else line.name
        found.append(LineEnd(points, name, options.palette.ink_1 if focus else options.palette.ink_2, bold=focus))
    return found


def named_ends(room: Room, panel: Panel, options: ViewOptions, *, crowd: bool) -> list[Annotation]:
    """The names at the line ends; among very many lines one that stands on others stays readable."""
    behind = {"bgcolor": with_opacity(options.palette.surface, 0.8)} if crowd else {}
    return [item | behind for item in room.labels(panel.axis)]


def _labelled(lines: Sequence[Line]) -> list[Line]:
    by_part: dict[str, list[Line]] = {}
    for line in lines:
        by_part.setdefault(line.part.letter, []).append(line)
    return [line for found in by_part.values() for line in ((found[0], found[-1]) if len(by_part) <= 6 else found[-1:])]
