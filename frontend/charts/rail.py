"""The run rail: progress and result of every run in one row on the shared time axis."""

import math
from collections.abc import Sequence

from frontend.charts.figure import Annotation, Panel, Shape, Trace, ViewOptions, label
from frontend.charts.forecast import forecast_marks, forecast_window
from frontend.charts.groups import Group, seed_name
from frontend.charts.marks import ONSETS, joined, onset_marks
from frontend.charts.panels import crowded
from frontend.charts.quality import Drawing
from frontend.charts.reading import divisor, measured_span
from frontend.charts.window import no_window, window_of
from frontend.theme import with_opacity
from frontend.words import duration, number, rough, seconds_left, steps
from tauscope.contracts.curves import Curves
from tauscope.contracts.onsets import OnsetStatus, was_compared
from tauscope.contracts.run_views import RunView
from tauscope.contracts.runs import RunState

Row = tuple[Group, RunView]
_FITS = 8  # Letters of a run's name on a narrow screen.
_OPACITY = 0.28  # Of a window.
_ABOVE_ONSETS = 0.3  # Of a row, where tau_split stands: its interval often covers an onset.


def rail_rows(groups: Sequence[Group]) -> list[Row]:
    """The rows from top to bottom."""
    return [(group, run) for group in groups for run in group.runs]


def rail_panel(
    rows: Sequence[Row], focus: Group | None, panel: Panel, *, x_range: tuple[float, float], curves: Curves, options: ViewOptions
) -> Drawing:
    """One row a run: a track to its budget, a line to the present step, its window and onsets, its state at the right."""
    drawing = Drawing()
    palette = options.palette
    drawing.annotations.append(label(0, panel.top, "<b>Runs</b>, each with its window", colour=palette.ink_1, yanchor="bottom", yshift=6))
    drawing.traces.extend(_tracks(rows, panel, start=x_range[0], options=options))
    marks: list[Trace] = []
    for position, (group, run) in enumerate(rows):
        y = -float(position)
        if group is focus:
            drawing.shapes.append(_highlight(y, panel, options))
        drawing.shapes.extend(_window_bar(run, y, panel, options=options))
        marks += _row_onsets(run, y, panel, curves=curves, options=options)
        marks += forecast_marks(run, y=y, yaxis=panel.axis, end=x_range[1], options=options)
        drawing.annotations.extend(_row_texts(run, group, y, panel, focus=group is focus, x_range=x_range, options=options))
    drawing.traces.extend(joined(marks) if crowded(curves) else marks)
    return drawing


def _row_onsets(run: RunView, y: float, panel: Panel, *, curves: Curves, options: ViewOptions) -> list[Trace]:
    by = divisor(run, options)
    # Two arrows from the same last step must not cover each other.
    apart = 0.18 if all(onset.status is OnsetStatus.CENSORED for onset in run.onsets.values()) else 0.0
    traces: list[Trace] = []
    for name in ONSETS:
        onset = run.onsets.get(name)
        if onset is not None:
            place = y + (apart if name == "tau_gen" else -apart)
            span = measured_span(curves, run, onset.metric)
            traces += onset_marks(name, onset, y=place, yaxis=panel.axis, divisor=by, palette=options.palette, measured=span)
    if was_compared(run.markers):
        split = run.markers["tau_split"]
        span = measured_span(curves, run, split.metric)
        above = y + _ABOVE_ONSETS
        traces += onset_marks("tau_split", split, y=above, yaxis=panel.axis, divisor=by, palette=options.palette, measured=span)
    return traces


def _highlight(y: float, panel: Panel, options: ViewOptions) -> Shape:
    left, right = ((room - 12) / options.plot_width for room in options.margins)
    return {
        "type": "rect",
        "xref": "paper",
        "x0": -left,
        "x1": 1 + right,
        "yref": panel.axis,
        "y0": y - 0.5,
        "y1": y + 0.5,
        "fillcolor": options.palette.action_tint,
        "line": {"width": 0},
        "layer": "below",
    }


def _tracks(rows: Sequence[Row], panel: Panel, *, start: float, options: ViewOptions) -> list[Trace]:
    """Each row's track to its budget, its line to the present step, and a ring there while it runs; few traces for any number of rows.

    What moves with the present step says so in ``meta``: between two drawings of a large figure the browser moves it by itself.
    """
    times = [(-float(place), group, run, divisor(run, options)) for place, (group, run) in enumerate(rows)]
    traces = [_lines([(y, run.steps / by) for y, _, run, by in times], options.palette.rule, panel, start)]
    for colour in dict.fromkeys(group.colour for group, _ in rows):
        ends = [(y, run.step / by) for y, group, run, by in times if group.colour == colour]
        traces.append({**_lines(ends, colour, panel, start), "meta": {"present": "line"}})
    live = [(max(run.step, 1) / by, y, group.colour) for y, group, run, by in times if run.state is RunState.RUNNING]
    if live:
        x, y, colours = zip(*live, strict=True)
        ring = {"size": 11, "color": options.palette.surface, "line": {"color": list(colours), "width": 2.5}}
        traces.append({**_lines([], options.palette.rule, panel, start), "mode": "markers", "x": list(x), "y": list(y), "marker": ring})
        traces[-1]["meta"] = {"present": "ring"}
    return traces


def _lines(ends: Sequence[tuple[float, float]], colour: str, panel: Panel, start: float) -> Trace:
    """Horizontal lines from the axis' start to the ends that lie beyond it, one trace with gaps between."""
    shown = [(y, end) for y, end in ends if end > start]
    return {
        "type": "scatter",
        "mode": "lines",
        "yaxis": panel.axis,
        "hoverinfo": "skip",
        "showlegend": False,
        "connectgaps": False,
        "x": [x for _, end in shown for x in (start, end, None)],
        "y": [place for y, _ in shown for place in (y, y, None)],
        "line": {"color": colour, "width": 3},
    }


def _window_bar(run: RunView, y: float, panel: Panel, *, options: ViewOptions) -> list[Shape]:
    window = window_of(run)
    if window is None:
        return []
    by = divisor(run, options)
    fill = with_opacity(options.palette.quality, _OPACITY)
    place = {"yref": panel.axis, "y0": y - 0.26, "y1": y + 0.26}
    ahead = forecast_window(run, opacity=_OPACITY, options=options)
    bar = {"type": "rect", "xref": "x", "x0": window.start / by, "x1": window.end / by, "fillcolor": fill, "line": {"width": 0}}
    return [{**bar, **place, "layer": "below"}, *([{**ahead, **place}] if ahead else [])]


def _row_texts(
    run: RunView, group: Group, y: float, panel: Panel, *, focus: bool, x_range: tuple[float, float], options: ViewOptions
) -> list[Annotation]:
    palette = options.palette
    name = group.name if run is group.runs[0] else seed_name(group, run)
    if options.narrow:
        name = _short(name)
    left = label(
        0,
        y,
        f"<b>{name}</b>" if focus else name,
        colour=palette.ink_1,
        yref=panel.axis,
        xanchor="right",
        xshift=-12,
        font={"color": palette.ink_1, "size": 13},
    )
    right = label(1, y, state_words(run, short=options.narrow), colour=palette.ink_2, yref=panel.axis, xshift=12, name="present")
    texts = [left, right]
    if run.state is RunState.FINISHED and window_of(run) is None:
        texts.extend(_reason(run, y, panel, x_range=x_range, options=options))
    return texts


def _short(name: str) -> str:
    """A name that fits the narrow margin: its value alone, and of what has none the beginning. The table has it in full."""
    value = name.rpartition(" = ")[2] if "," not in name and len(name) > _FITS else name.removeprefix("n = ") if "," in name else name
    return value if len(value) <= _FITS else f"{value[: _FITS - 1].rstrip()}…"


def _reason(run: RunView, y: float, panel: Panel, *, x_range: tuple[float, float], options: ViewOptions) -> list[Annotation]:
    """Why there is no window, after the run's end; without room there it is left to the table beside the chart."""
    words = f"no window: {no_window(run)}"
    end = run.step * 1.22 / divisor(run, options)
    room = options.plot_width * math.log(x_range[1] / end) / math.log(x_range[1] / x_range[0])
    if room < 6 * len(words):
        return []
    return [label(math.log10(end), y, words, colour=options.palette.ink_3, xref="x", yref=panel.axis, xshift=12)]


def state_words(run: RunView, *, short: bool = False) -> str:
    """The state of a run in a few words; where there is no room, in one or two."""
    if short:
        return f"{100 * run.step / max(run.steps, 1):.0f} %" if run.state is RunState.RUNNING else run.state.value
    match run.state:
        case RunState.FINISHED:
            return f"finished in {duration(run.seconds)}"
        case RunState.RUNNING:
            return _progress(run)
        case RunState.FAILED:
            return f"✕ failed at τ {steps(run.step)}"
        case RunState.STOPPED:
            return f"stopped at τ {steps(run.step)}"
        case RunState.PAUSED:
            return f"paused at τ {steps(run.step)}"
        case RunState.QUEUED:
            return f"waits at τ {steps(run.step)}" if run.step else "queued"


def _progress(run: RunView) -> str:
    """Share done, speed, and time left at that speed."""
    done = f"<b>{100 * run.step / max(run.steps, 1):.0f} %</b>"
    speed = run.steps_per_second
    if not speed:
        return f"{done} of {steps(run.steps)}"
    left = seconds_left(run)
    return f"{done} · {number(speed)} steps/s" + (f" · {rough(left)} left" if left is not None else "")
