"""How the line of a setting is drawn: its mean over the seeds that stand thin behind it, or each run; and its onsets as bands."""

from collections.abc import Sequence

from frontend.charts.figure import Panel, Shape, Trace, ViewOptions, bind_many
from frontend.charts.groups import Group
from frontend.charts.marks import OnsetName, onset_colour
from frontend.charts.panels import THIN, THIN_OPACITY, crowded, curve, ring
from frontend.charts.reading import divisor
from frontend.charts.seed_lines import SeedLine
from frontend.theme import with_opacity
from tauscope.contracts.curves import Curves
from tauscope.contracts.onsets import OnsetStatus
from tauscope.contracts.runs import RunState

_BAND, _BAND_IN_FOCUS, _FULL = 0.11, 0.20, 3  # Opacities, and up to how many bands have theirs in full.
_SMALL_RING = 7


def line_traces(
    lines: Sequence[SeedLine], metric: str, panel: Panel, *, focus: Group | None, drawn: Curves, options: ViewOptions
) -> list[Trace]:
    """The curves of every line, in order; ``drawn`` holds what they are drawn from (``seed_lines.drawn_curves``)."""
    return [trace for line in lines for trace in _traces(line, metric, panel, focus=line.members is focus, drawn=drawn, options=options)]


def _traces(line: SeedLine, metric: str, panel: Panel, *, focus: bool, drawn: Curves, options: ViewOptions) -> list[Trace]:
    given = {"group": line.drawn, "focus": focus, "curves": drawn, "options": options}
    if not line.is_mean:
        return [trace for run in line.drawn.runs for trace in curve(run, metric, panel, **given, alike=line.alike)]  # type: ignore[arg-type]
    mean = [_of_mean(trace, line, metric) for trace in curve(line.run, metric, panel, **given)]  # type: ignore[arg-type]
    return [thin_seeds(line, metric, panel, options), *mean, *_live_rings(line, metric, panel, drawn, options)]


def thin_seeds(line: SeedLine, metric: str, panel: Panel, options: ViewOptions, dash: str = "solid") -> Trace:
    """The seeds behind their mean, one by one."""
    return {
        "type": "scatter",
        "mode": "lines",
        "yaxis": panel.axis,
        "line": {"color": with_opacity(line.drawn.colour, THIN_OPACITY), "width": THIN, "dash": dash},
        "connectgaps": False,
        "showlegend": False,
        "hoverinfo": "skip",
        "meta": bind_many([(run.id, divisor(run, options)) for run in line.members.runs], metric) | {"seeds": line.drawn.key},
    }


def hover_of_mean(name: str, metric: str) -> str:
    """A line of the hover box: the mean with its interval over so many seeds, and when."""
    form = ":.1%" if metric.startswith("f_mem") else ":.3~g"
    spread = f"%{{customdata[0]{form}}} to %{{customdata[1]{form}}}"
    return f"<b>{name}</b> · mean %{{y{form}}} ({spread} over %{{customdata[2]}} seeds), τ %{{customdata[3]:,}}<extra></extra>"


def _of_mean(trace: Trace, line: SeedLine, metric: str) -> Trace:
    """The line of a mean in its own words; a click on it inspects its first seed. Bands as they are."""
    if "group" not in trace["meta"]:
        return trace
    words = {"hovertemplate": hover_of_mean(line.name, metric)} if "hovertemplate" in trace else {}
    return {**trace, **words, "meta": {**trace["meta"], "inspect": line.members.runs[0].id}}


def _live_rings(line: SeedLine, metric: str, panel: Panel, drawn: Curves, options: ViewOptions) -> list[Trace]:
    """Small rings on the newest points of the seeds that run; of many lines all rings are drawn in common."""
    live = [(run.id, divisor(run, options)) for run in line.members.runs if run.state is RunState.RUNNING]
    if not live or crowded(drawn):
        return []
    return [ring(panel, line.drawn.colour, options.palette, bind_many(live, metric, last=True), size=_SMALL_RING)]


def onset_bands(
    name: OnsetName, lines: Sequence[SeedLine], panel: Panel, *, focus: Group | None, drawn: Curves, options: ViewOptions
) -> list[Shape]:
    """The 95 % interval of each line's onset, over its seeds or of its one run, as a band through the panel; of many lines that in focus.

    Two seeds, or seeds of which one has not reached it, have no such interval: their own marks and bars stand alone. Many bands are
    fainter: those of tau_gen lie over one another, and together must not hide the curves.
    """
    shown = [line for line in lines if line.members is focus or not crowded(drawn)]
    faint = _BAND * min(1.0, _FULL / max(1, len(shown)))
    opacity = {True: _BAND_IN_FOCUS, False: faint}
    return [shape for line in shown for shape in _band(name, line, panel, opacity=opacity[line.members is focus], options=options)]


def _band(name: OnsetName, line: SeedLine, panel: Panel, *, opacity: float, options: ViewOptions) -> list[Shape]:
    onset = line.run.onsets.get(name)
    if line.alike or onset is None or onset.status is not OnsetStatus.REACHED or not onset.low or onset.high is None:
        return []
    by, colour = divisor(line.run, options), onset_colour(name, options.palette)
    return [
        {
            "type": "rect",
            "xref": "x",
            "x0": onset.low / by,
            "x1": onset.high / by,
            "yref": "paper",
            "y0": panel.bottom,
            "y1": panel.top,
            "fillcolor": with_opacity(colour, opacity),
            "line": {"width": 0},
            "layer": "below",
            "name": name,
        }
    ]
