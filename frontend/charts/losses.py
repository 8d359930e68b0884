"""The loss pair: train and held-out loss at one diffusion index, which part ways when a network starts to copy."""

from collections.abc import Sequence

from frontend.charts.figure import Panel, ViewOptions, label
from frontend.charts.groups import Group
from frontend.charts.labels import Frame, LineEnd, Room
from frontend.charts.panels import breaks, dashed, line_ends
from frontend.charts.quality import Drawing
from frontend.charts.reading import metric_info, value_range
from frontend.charts.seed_lines import SeedLine
from frontend.charts.seed_traces import line_traces
from frontend.charts.theory import beyond_words, level_shape, levels_within, value_words
from tauscope.contracts.curves import Curves


def loss_metrics(index: int) -> tuple[str, str]:
    """The held-out and the train loss at a 0-based diffusion index."""
    return f"loss_held_out@{index}", f"loss_train@{index}"


def loss_panel(
    lines: Sequence[SeedLine],
    focus: Group | None,
    panel: Panel,
    frame: Frame,
    *,
    curves: Curves,
    drawn: Curves,
    options: ViewOptions,
    index: int,
) -> Drawing:
    """Held-out loss solid, train loss dashed, in the colour of each n; of the focused n what theory says of both."""
    drawing = Drawing()
    held_out, train = loss_metrics(index)
    info = metric_info(curves, held_out)
    place = f"index {index}" + (f", alpha_bar {info.alpha_bar:.3f}" if info.alpha_bar is not None else "")
    title = f"<b>{f'Loss at index {index}' if options.narrow else f'Denoising loss at {place}'}</b>: held-out solid, train dashed"
    drawing.annotations.append(label(0, panel.top, title, colour=options.palette.ink_1, yanchor="bottom", yshift=8))
    for line in lines:
        train_curves = line_traces([line], train, panel, focus=focus, drawn=drawn, options=options)
        drawing.traces.extend(dashed(trace, "train") for trace in train_curves)
        drawing.traces.extend(line_traces([line], held_out, panel, focus=focus, drawn=drawn, options=options))
    ends = line_ends(lines, held_out, focus=focus, curves=drawn, options=options)
    _draw_theory(drawing, ends, focus, panel, frame, curves=curves, options=options, index=index)
    drawing.annotations.extend(breaks([line.members for line in lines], held_out, panel, curves=curves, options=options))
    return drawing


def _draw_theory(
    drawing: Drawing,
    ends: Sequence[LineEnd],
    focus: Group | None,
    panel: Panel,
    frame: Frame,
    *,
    curves: Curves,
    options: ViewOptions,
    index: int,
) -> None:
    inside, beyond = levels_within(focus.runs[0], curves, index, frame.y_range) if focus else ([], [])
    room = Room(frame, ends, [item.value for item in inside])
    drawing.shapes.extend(level_shape(item, panel, x_range=frame.x_range, options=options) for item in inside)
    for item in inside if not options.narrow else ():
        drawing.annotations.append(room.words(item.value, f"{item.name}: {value_words(item.value)}", options.palette.ink_3, panel.axis))
    if beyond and not options.narrow:
        words = beyond_words(beyond, frame.y_range)
        drawing.annotations.append(label(0, panel.bottom, words, colour=options.palette.ink_3, yanchor="bottom", xshift=8, yshift=2))
    drawing.annotations.extend(room.labels(panel.axis))


def loss_range(curves: Curves, index: int) -> tuple[float, float]:
    """The vertical range of both losses."""
    low, high = value_range(curves, loss_metrics(index)) or (0.1, 1.2)
    return max(low, high * 1e-6) / 1.12, high * 1.12
