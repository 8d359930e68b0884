"""The run rail: progress and result of every run in one row on the shared time axis."""

import math
from collections.abc import Sequence

from frontend.charts.figure import Annotation, Panel, Shape, Trace, ViewOptions, label
from frontend.charts.groups import Group, run_name
from frontend.charts.marks import ONSETS, onset_marks
from frontend.charts.quality import Drawing
from frontend.charts.reading import divisor, measured_span
from frontend.charts.window import no_window, window_of
from frontend.theme import with_opacity
from frontend.words import duration, steps
from tauscope.contracts.experiments import Curves, RunView
from tauscope.contracts.onsets import OnsetStatus
from tauscope.contracts.runs import RunState

Row = tuple[Group, RunView]


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
    for position, (group, run) in enumerate(rows):
        y = -float(position)
        if group is focus:
            drawing.shapes.append(_highlight(y, panel, palette.action_tint))
        drawing.traces.extend(_track(run, group, y, panel, x_range=x_range, options=options))
        drawing.shapes.extend(_window_bar(run, y, panel, options=options))
        drawing.traces.extend(_row_onsets(run, y, panel, curves=curves, options=options))
        drawing.annotations.extend(_row_texts(run, group, y, panel, focus=group is focus, x_range=x_range, options=options))
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
    return traces


def _highlight(y: float, panel: Panel, colour: str) -> Shape:
    return {
        "type": "rect",
        "xref": "paper",
        "x0": -0.1,
        "x1": 1.2,
        "yref": panel.axis,
        "y0": y - 0.5,
        "y1": y + 0.5,
        "fillcolor": colour,
        "line": {"width": 0},
        "layer": "below",
    }


def _track(run: RunView, group: Group, y: float, panel: Panel, *, x_range: tuple[float, float], options: ViewOptions) -> list[Trace]:
    by = divisor(run, options)
    line = {"type": "scatter", "mode": "lines", "yaxis": panel.axis, "hoverinfo": "skip", "showlegend": False, "cliponaxis": True}
    start = x_range[0]
    traces = [{**line, "x": [start, run.steps / by], "y": [y, y], "line": {"color": options.palette.rule, "width": 3}}]
    if run.step / by > start:
        traces.append({**line, "x": [start, run.step / by], "y": [y, y], "line": {"color": group.colour, "width": 3}})
    if run.state is RunState.RUNNING:
        ring = {"size": 11, "color": options.palette.surface, "line": {"color": group.colour, "width": 2.5}}
        traces.append({**line, "mode": "markers", "x": [max(run.step, 1) / by], "y": [y], "marker": ring})
    return traces


def _window_bar(run: RunView, y: float, panel: Panel, *, options: ViewOptions) -> list[Shape]:
    window = window_of(run)
    if window is None:
        return []
    by = divisor(run, options)
    fill = with_opacity(options.palette.quality, 0.28)
    place = {"xref": "x", "x0": window.start / by, "x1": window.end / by, "yref": panel.axis, "y0": y - 0.26, "y1": y + 0.26}
    return [{"type": "rect", **place, "fillcolor": fill, "line": {"width": 0}, "layer": "below"}]


def _row_texts(
    run: RunView, group: Group, y: float, panel: Panel, *, focus: bool, x_range: tuple[float, float], options: ViewOptions
) -> list[Annotation]:
    palette = options.palette
    name = run_name(group, run)
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
    right = label(1, y, state_words(run), colour=palette.ink_2, yref=panel.axis, xshift=12)
    texts = [left, right]
    if run.state is RunState.FINISHED and window_of(run) is None:
        texts.extend(_reason(run, y, panel, x_range=x_range, options=options))
    return texts


def _reason(run: RunView, y: float, panel: Panel, *, x_range: tuple[float, float], options: ViewOptions) -> list[Annotation]:
    """Why there is no window, after the run's end; without room there it is left to the table beside the chart."""
    words = f"no window: {no_window(run)}"
    end = run.step * 1.22 / divisor(run, options)
    room = options.plot_width * math.log(x_range[1] / end) / math.log(x_range[1] / x_range[0])
    if room < 6 * len(words):
        return []
    return [label(math.log10(end), y, words, colour=options.palette.ink_3, xref="x", yref=panel.axis, xshift=12)]


def state_words(run: RunView) -> str:
    """The state of a run in a few words."""
    match run.state:
        case RunState.FINISHED:
            return f"finished in {duration(run.seconds)}"
        case RunState.RUNNING:
            return f"<b>τ {steps(run.step)}</b> of {steps(run.steps)}"
        case RunState.FAILED:
            return f"✕ failed at τ {steps(run.step)}"
        case RunState.STOPPED:
            return f"stopped at τ {steps(run.step)}"
        case RunState.PAUSED:
            return f"paused at τ {steps(run.step)}"
        case RunState.QUEUED:
            return f"waits at τ {steps(run.step)}" if run.step else "queued"
