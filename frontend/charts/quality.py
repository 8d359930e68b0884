"""The quality panel: one quantity, its level, its floor, and what a perfect copier scores."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from frontend.charts.figure import Annotation, Panel, Shape, Trace, ViewOptions, label, log_position
from frontend.charts.groups import Group
from frontend.charts.labels import Frame, Room
from frontend.charts.panels import breaks, common_rings, line_ends, reached_onsets, threshold
from frontend.charts.reading import headed, level_of, metric_info, references_of, short_label, title_of, value_range
from frontend.charts.seed_lines import SeedLine
from frontend.charts.seed_traces import line_traces, onset_bands
from frontend.words import joined_names, number
from tauscope.contracts.curves import Curves
from tauscope.contracts.experiments import ExperimentView

_LINE = 15  # Pixels of a line of words.
_MOST_COPIERS = 12  # More lines would hide the curves.


@dataclass(frozen=True)
class Drawing:
    """What a panel adds to the figure."""

    traces: list[Trace] = field(default_factory=list)
    shapes: list[Shape] = field(default_factory=list)
    annotations: list[Annotation] = field(default_factory=list)


def quality_panel(
    experiment: ExperimentView,
    lines: Sequence[SeedLine],
    focus: Group | None,
    panel: Panel,
    frame: Frame,
    *,
    curves: Curves,
    drawn: Curves,
    options: ViewOptions,
    metric: str,
) -> Drawing:
    """Curves of ``metric`` for every line, with the onsets where it is the quantity that defines tau_gen."""
    drawing, groups = Drawing(), [line.members for line in lines]
    palette = options.palette
    info = metric_info(curves, metric)
    drawing.annotations.append(
        label(
            0,
            panel.top,
            headed(short_label(info) if options.narrow or options.view == "overlay" else title_of(info), info),
            colour=palette.quality,
            yanchor="bottom",
            yshift=8,
        )
    )
    drawing.traces.extend(line_traces(lines, metric, panel, focus=focus, drawn=drawn, options=options))
    drawing.traces.extend(common_rings(groups, metric, panel, curves=drawn, options=options))
    defining = level_of(experiment, "tau_gen")
    level = defining[1] if defining and defining[0] == metric else None
    references = reference_levels(groups, curves, metric)
    ends = line_ends(lines, metric, focus=focus, curves=drawn, options=options)
    room = Room(frame, ends, [*([level] if level is not None else []), *references])
    if level is not None:
        _draw_level(drawing, lines, focus, panel, room, drawn=drawn, options=options, level=level)
    draw_references(drawing, groups, panel, curves=curves, options=options, room=room, metric=metric)
    drawing.annotations.extend(room.labels(panel.axis))
    drawing.annotations.extend(breaks(groups, metric, panel, curves=curves, options=options))
    return drawing


def quality_range(experiment: ExperimentView, curves: Curves, metric: str) -> tuple[float, float]:
    """The vertical range: every value, the level and the references, with a little air."""
    shown = [metric, *references_of(metric)]
    low, high = value_range(curves, shown) or (0.3, 1.2)
    defining = level_of(experiment, "tau_gen")
    if defining and defining[0] == metric:
        low, high = min(low, defining[1]), max(high, defining[1])
    if not metric_info(curves, metric).log_scale:
        air = 0.06 * ((high - low) or 1.0)
        return low - air, high + air
    low = max(low, high * 1e-6)
    return low / 1.12, high * 1.12


def _draw_level(
    drawing: Drawing,
    lines: Sequence[SeedLine],
    focus: Group | None,
    panel: Panel,
    room: Room,
    *,
    drawn: Curves,
    options: ViewOptions,
    level: float,
) -> None:
    palette = options.palette
    drawing.shapes.append(threshold(level, panel, colour=palette.quality, x_range=room.frame.x_range))
    drawing.annotations.append(room.words(level, f"good enough: {number(level)}", palette.quality, panel.axis))
    drawing.shapes.extend(onset_bands("tau_gen", lines, panel, focus=focus, drawn=drawn, options=options))
    marked = [line.marked("tau_gen") for line in lines]
    drawing.traces.extend(reached_onsets("tau_gen", marked, level, panel, curves=drawn, options=options))


def reference_levels(groups: Sequence[Group], curves: Curves, metric: str) -> list[float]:
    """What a perfect copier of each group's training set scores, and real images against each other."""
    if not references_of(metric):
        return []
    found = [_last_value(curves, group.runs[0].id, f"{metric}_train") for group in groups] + [_floor(groups, curves, metric)]
    return [value for value in found if value is not None]


def _floor(groups: Sequence[Group], curves: Curves, metric: str) -> float | None:
    """The best that real images score, whichever way that is."""
    found = [_last_value(curves, run.id, f"{metric}_floor") for group in groups for run in group.runs]
    best = max if metric_info(curves, metric).better == "higher" else min
    return best((value for value in found if value is not None), default=None)


def draw_references(
    drawing: Drawing, groups: Sequence[Group], panel: Panel, *, curves: Curves, options: ViewOptions, room: Room, metric: str
) -> None:
    """What real images score against each other, and what a perfect copier of each group's training set would."""
    if not references_of(metric):
        return
    palette, frame = options.palette, room.frame
    floor = _floor(groups, curves, metric)
    if floor is not None:
        drawing.shapes.append(threshold(floor, panel, colour=palette.control, x_range=frame.x_range))
        drawing.annotations.append(room.words(floor, f"real against real: {number(floor)}", palette.ink_3, panel.axis))
    copiers: dict[float, list[Group]] = {}
    for group in groups:
        copier = _last_value(curves, group.runs[0].id, f"{metric}_train")
        if copier is not None:
            copiers.setdefault(copier, []).append(group)
    scored = [group for alike in copiers.values() for group in alike]
    few = sorted(copiers.items(), reverse=True) if len(copiers) <= _MOST_COPIERS else []
    shifts = words_apart([frame.pixels(frame.x_range[1], copier)[1] for copier, _ in few])
    for (copier, alike), shift in zip(few, shifts, strict=True):
        drawing.shapes.append(threshold(copier, panel, colour=alike[0].colour, x_range=frame.x_range))
        words = f"a copier, {_whose(alike, scored)}: {number(copier)}"
        drawing.annotations.append(_beside(copier, panel, frame, words, palette.ink_3) | {"yshift": shift})


def words_apart(heights: Sequence[float]) -> list[float]:
    """How far to shift words at these heights, from the highest down, so that none stands on another: each below the one above it."""
    shifts, lowest = [], math.inf
    for height in heights:
        lowest = min(height, lowest - _LINE)
        shifts.append(lowest - height)
    return shifts


def _whose(alike: Sequence[Group], scored: Sequence[Group]) -> str:
    """The n whose training set it is, or the groups by name where others of that n have another."""
    sizes = {group.n_train for group in alike}
    whole = len(sizes) == 1 and all(group in alike for group in scored if group.n_train in sizes)
    return f"n = {alike[0].n_train:,}" if whole and alike[0].n_train else joined_names([group.name for group in alike])


def _last_value(curves: Curves, run_id: str, metric: str) -> float | None:
    series = curves.runs.get(run_id, {}).get(metric)
    return next((value for value in reversed(series.value) if value is not None), None) if series else None


def _beside(value: float, panel: Panel, frame: Frame, text: str, colour: str) -> Annotation:
    """Words right of a level."""
    at = log_position(value) if frame.log_y else value
    return label(1, at, text, colour=colour, yref=panel.axis, xshift=8)
