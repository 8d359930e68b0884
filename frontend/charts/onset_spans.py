"""The onsets of one run across a chart over training time: the interval as an upright span, or words where there is none."""

from frontend.charts.figure import Annotation, Shape, ViewOptions, label, log_position
from frontend.charts.marks import ONSETS, TITLES, OnsetName, onset_colour
from frontend.theme import with_opacity
from tauscope.contracts.onsets import Onset, OnsetStatus
from tauscope.contracts.run_views import RunView

LINE = 16  # Pixels of a line of words.
_OPACITY = 0.11
_BAR = 4


def onset_shapes(run: RunView, options: ViewOptions, *, over: bool = False) -> list[Shape]:
    """A span over each reached onset's interval and a line at its value; of the others nothing is drawn.

    ``over`` is for a chart that fills its plot: the interval is then a bar along its upper edge.
    """
    return [shape for name in ONSETS if (onset := run.onsets.get(name)) for shape in _span(name, onset, options, over=over)]


def onset_words(run: RunView, options: ViewOptions, *, over: bool = False) -> list[Annotation]:
    """The name of each reached onset at its line, and at the edge what is known of the others, with an arrow outward.

    They stand within the plot, or, ``over`` one that is filled, above it.
    """
    reached = any(onset.status is OnsetStatus.REACHED for onset in run.onsets.values())
    found, at_edge = [], int(reached and not over)  # Below the name of one that was reached, which may stand at the same edge.
    for name in ONSETS:
        onset = run.onsets.get(name)
        if onset is None or onset.status is OnsetStatus.UNDEFINED:
            continue
        colour, upward = onset_colour(name, options.palette), {"yanchor": "bottom" if over else "top", "yshift": 3 if over else 0}
        if onset.status is OnsetStatus.REACHED and onset.value is not None:
            place = {"xref": "x", "xanchor": "center" if over else "left", "xshift": 0 if over else 4, **upward}
            found.append(label(log_position(onset.value), 1, TITLES[name], colour=colour, **place))
            continue
        later = onset.status is OnsetStatus.CENSORED
        words = f"{TITLES[name]} {onset.reason} →" if later else f"← {TITLES[name]} {onset.reason}"
        place = {"xanchor": "right" if later else "left", **upward, "yshift": (3 + LINE * at_edge) if over else -LINE * at_edge}
        found.append(label(1 if later else 0, 1, words, colour=colour, **place))
        at_edge += 1
    return found


def _span(name: OnsetName, onset: Onset, options: ViewOptions, *, over: bool) -> list[Shape]:
    if onset.status is not OnsetStatus.REACHED or onset.value is None:
        return []
    colour, place = onset_colour(name, options.palette), {"yref": "paper", "y0": 0, "y1": 1}
    low, high = onset.low or onset.value, onset.high or onset.value
    line = {"type": "line", **place, "x0": onset.value, "x1": onset.value, "line": {"color": colour, "width": 1.2, "dash": "dot"}}
    if over:
        # Beneath it a wider line of the surface: it is seen on dark and on light cells.
        halo = {**line, "line": {"color": with_opacity(options.palette.surface, 0.7), "width": _BAR}}
        return [
            halo,
            line,
            {"type": "line", "yref": "paper", "y0": 1, "y1": 1, "x0": low, "x1": high, "line": {"color": colour, "width": _BAR}},
        ]
    fill = {"fillcolor": with_opacity(colour, _OPACITY), "line": {"width": 0}, "layer": "below"}
    return [{"type": "rect", **place, "x0": low, "x1": high, **fill}, {**line, "layer": "below"}]
