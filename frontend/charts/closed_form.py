"""E_score and losses of random features over training time, the closed form beside a loop's points; and what eigenvalues add."""

from collections.abc import Sequence
from typing import Any

from frontend.charts.axes import FOOT, HEAD, base_layout, log_axis, value_axis
from frontend.charts.figure import Annotation, Shape, Trace, ViewOptions, label, log_position
from frontend.charts.labels import Frame, LineEnd, end_labels
from frontend.charts.onset_spans import onset_shapes, onset_words
from frontend.charts.run_lines import Row, measured_rows
from frontend.theme import with_opacity
from frontend.words import AXIS_TITLES, number, steps
from tauscope.contracts.curves import Curves
from tauscope.contracts.run_views import RunView

LINES = {"score_error": "E_score", "loss_held_out": "test loss", "loss_train": "training loss"}
MODES = {"population": "largest d", "points": "next n − d", "rest": "others"}
THEORY = "_theory"
_LEAST = 1e-4  # Of the axis; a training loss may fall to nothing.

Line = tuple[str, str, list[Row], bool]
"""Words, colour, rows, and whether they are points beside a line."""

Foretold = tuple[str, float]
"""What a bulk of the spectrum holds, and when it is learnt."""


def curves_figure(
    run: RunView, curves: Curves, options: ViewOptions, *, height: float, foretold: Sequence[Foretold] = ()
) -> dict[str, Any] | None:
    """E_score and both losses on one logarithmic axis; where there is a loop its values are points and the closed form the line.

    ``foretold`` are upright: when each bulk of the spectrum is learnt.
    """
    series, palette = curves.runs.get(run.id, {}), options.palette
    colours = dict(zip(LINES, (palette.quality, palette.ink_1, palette.warning), strict=True))
    lines: list[Line] = []
    for name, words in LINES.items():
        rows, theory = measured_rows(series.get(name)), measured_rows(series.get(name + THEORY))
        lines += [
            (words, colours[name], found, points) for found, points in ((theory or rows, False), (rows if theory else [], True)) if found
        ]
    title = "<b>E_score and losses</b>" + ("" if options.narrow else ": lines in closed form" + (", points of the loop" * _has_loop(lines)))
    return _figure(run, lines, title, options, height=height, log=True, foretold=foretold)


def modes_figure(
    run: RunView, curves: Curves, options: ViewOptions, *, height: float, foretold: Sequence[Foretold] = ()
) -> dict[str, Any] | None:
    """What each group of eigenvalues adds to the test loss beside 1."""
    series, palette = curves.runs.get(run.id, {}), options.palette
    colours = dict(zip(MODES, (palette.quality, palette.warning, palette.ink_3), strict=True))
    lines: list[Line] = [
        (words, colours[name], rows, False) for name, words in MODES.items() if (rows := measured_rows(series.get(f"mode_test@{name}")))
    ]
    title = "<b>Test loss by eigenvalues of U</b>" + ("" if options.narrow else ": what each group adds to 1")
    return _figure(run, lines, title, options, height=height, log=False, foretold=foretold)


def _has_loop(lines: Sequence[Line]) -> bool:
    return any(points for *_, points in lines)


def _figure(
    run: RunView, lines: Sequence[Line], title: str, options: ViewOptions, *, height: float, log: bool, foretold: Sequence[Foretold]
) -> dict[str, Any] | None:
    if not lines:
        return None
    frame = _frame(lines, options, height, log=log)
    within = [(name, tau) for name, tau in foretold if frame.x_range[0] < tau < frame.x_range[1]]
    ends = [
        LineEnd(tuple((float(s), v) for s, v, *_ in rows), words, colour, bold=False) for words, colour, rows, points in lines if not points
    ]
    return {
        "data": [trace for line in lines for trace in _traces(line, log=log)],
        "layout": {
            **base_layout(options, height),
            "hovermode": "closest",
            "xaxis": log_axis(options, frame.x_range, AXIS_TITLES["tau"]),
            "yaxis": {"gridcolor": options.palette.grid, "zeroline": False, "showline": False, **value_axis(frame.y_range, log=log)},
            "shapes": [*onset_shapes(run, options), *(_upright(tau, options) for _, tau in within)],
            "annotations": [
                label(0, 1, title, colour=options.palette.ink_1, yanchor="bottom", yshift=10),
                *onset_words(run, options),
                *(_named(name, tau, options) for name, tau in within if not options.narrow),
                *end_labels(ends, frame, "y"),
            ],
            "meta": {"height": height},
            "uirevision": f"{run.id}/{title}",
        },
    }


def _upright(tau: float, options: ViewOptions) -> Shape:
    line = {"color": options.palette.ink_3, "width": 1, "dash": "dash"}
    return {"type": "line", "yref": "paper", "y0": 0, "y1": 1, "x0": tau, "x1": tau, "line": line, "layer": "below"}


def _named(name: str, tau: float, options: ViewOptions) -> Annotation:
    place = {"xref": "x", "xanchor": "left", "xshift": 3, "yanchor": "bottom"}
    return label(log_position(tau), 0, f"{name}<br>foretold", colour=options.palette.ink_3, **place)


def _frame(lines: Sequence[Line], options: ViewOptions, height: float, *, log: bool) -> Frame:
    times = [step for _, _, rows, _ in lines for step, *_ in rows]
    values = [max(low, value / 3, _LEAST) if log else low for _, _, rows, _ in lines for _, value, low, *_ in rows]
    values += [high for _, _, rows, _ in lines for *_, high, _ in rows]
    low, high = min(values), max(values)
    y_range = (low / 1.35, high * 1.35) if log else (low - 0.06 * (high - low), high + 0.06 * (high - low) + 1e-9)
    x_range = (min(times) / 1.15, max(max(times), 1.5 * min(times)) * 1.15)
    return Frame(x_range, y_range, options.plot_width, height - HEAD - FOOT, log_y=log, beyond=options.margins[1])


def _traces(line: Line, *, log: bool) -> list[Trace]:
    words, colour, rows, points = line
    x = [step for step, *_ in rows]
    found: Trace = {
        "type": "scatter",
        "mode": "markers" if points else "lines",
        "x": x,
        "y": [value for _, value, *_ in rows],
        "line": {"color": colour, "width": 2},
        "marker": {"size": 6, "color": colour, "symbol": "circle-open"},
        "text": [_hover(words, row, points) for row in rows],
        "hovertemplate": "%{text}<extra></extra>",
        "showlegend": False,
        "meta": {"line": words, "loop": points},
    }
    if points:
        return [found]
    edge: Trace = {"type": "scatter", "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False, "x": x}
    least = [max(low, value / 100) if log else low for _, value, low, *_ in rows]
    fill = {"fill": "tonexty", "fillcolor": with_opacity(colour, 0.16)}
    return [{**edge, "y": least}, {**edge, **fill, "y": [high for *_, high, _ in rows]}, found]


def _hover(words: str, row: Row, loop: bool) -> str:
    step, value, low, high, count = row
    which = f"{words}, loop" if loop else words
    return f"{which}<br>τ {steps(step)}: <b>{number(value)}</b> ({number(low)} to {number(high)}), {count:,} draws"
