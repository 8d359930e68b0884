"""The curves of a panel: lines, interval bands, the ring on a live run's newest point, thresholds."""

from collections.abc import Sequence
from typing import Any

from frontend.charts.figure import Annotation, FigureError, Panel, Shape, Trace, ViewOptions, bind, bind_many, log_position
from frontend.charts.groups import Group, run_name
from frontend.charts.labels import LineEnd
from frontend.charts.marks import OnsetName, joined, onset_marks
from frontend.charts.reading import divisor, has_interval, measured_span, series_of
from frontend.charts.seed_lines import SeedLine
from frontend.theme import Palette, with_opacity
from tauscope.contracts.curves import Curves
from tauscope.contracts.onsets import OnsetStatus
from tauscope.contracts.run_views import RunView
from tauscope.contracts.runs import RunState

_MARKED = 60
_CROWDED = 12
THIN, THIN_OPACITY = 1.2, 0.35
"""Of a seed beside others."""


def curve(
    run: RunView, metric: str, panel: Panel, *, group: Group, focus: bool, curves: Curves, options: ViewOptions, alike: bool = False
) -> list[Trace]:
    """One run's series: its 95 % band if it has intervals, its line, and a ring while it is live.

    Of several seeds the first stands before the others and has the band; ``alike`` draws each thin and none with a band.
    """
    by = divisor(run, options)
    first_seed = run is group.runs[0] and not alike
    colour = group.colour if first_seed or alike else with_opacity(group.colour, THIN_OPACITY)
    width = (2 if focus else THIN) if alike else THIN if not first_seed else 3 if focus else 2
    traces = (
        band(run, metric, panel, colour=group.colour, opacity=0.20 if focus else 0.11, by=by)
        if has_interval(curves, metric) and first_seed and (focus or not crowded(curves))
        else []
    )
    traces.append(
        {
            "type": "scatter",
            "mode": line_mode(0 if (series := series_of(curves, run, metric)) is None else len(series.step)),
            "yaxis": panel.axis,
            "name": run_name(group, run),
            "line": {"color": colour, "width": width},
            "marker": {"size": 4, "color": colour},
            "connectgaps": False,
            "cliponaxis": False,
            "showlegend": False,
            **_hovered(run_name(group, run), metric, focus=focus, curves=curves, options=options),
            "meta": {**bind(run.id, metric, divisor=by), "group": group.key},
        }
    )
    if run.state is RunState.RUNNING and not crowded(curves):
        traces.append(ring(panel, colour, options.palette, bind(run.id, metric, divisor=by, last=True)))
    return traces


def crowded(curves: Curves) -> bool:
    """Whether so many runs are drawn that what they have in common is drawn once: rings, controls, and no band but the focused."""
    return len(curves.runs) > _CROWDED


def common_rings(groups: Sequence[Group], metric: str, panel: Panel, *, curves: Curves, options: ViewOptions) -> list[Trace]:
    """The rings of all live runs as one trace, where there are many."""
    live = [run for group in groups for run in group.runs if run.state is RunState.RUNNING]
    if not live or not crowded(curves):
        return []
    bound = bind_many([(run.id, divisor(run, options)) for run in live], metric, last=True)
    common = ring(panel, options.palette.ink_2, options.palette, bound)
    return [{**common, "marker": {**common["marker"], "size": 6, "line": {"color": options.palette.ink_2, "width": 1.2}}}]


def line_mode(n_points: int) -> str:
    """Points are marked while they can be told apart; each mark is an element of the page, and a long series would have thousands."""
    return "lines+markers" if n_points <= _MARKED else "lines"


def band(run: RunView, metric: str, panel: Panel, *, colour: str, opacity: float, by: float) -> list[Trace]:
    """The 95 % interval between two invisible lines."""
    edge = {
        "type": "scatter",
        "mode": "lines",
        "yaxis": panel.axis,
        "line": {"width": 0, "color": colour},
        "hoverinfo": "skip",
        "showlegend": False,
    }
    return [
        {**edge, "meta": bind(run.id, metric, divisor=by, column="low")},
        {**edge, "fill": "tonexty", "fillcolor": with_opacity(colour, opacity), "meta": bind(run.id, metric, divisor=by, column="high")},
    ]


def dashed(trace: Trace, name: str = "") -> Trace:
    """The line of a curve dashed and without marks, ``name`` beside its run's in the hover box; bands and rings as they are."""
    if not {"group", "seeds"} & trace["meta"].keys():
        return trace
    template = trace.get("hovertemplate", "").replace("</b> ·", f", {name}</b> ·" if name else "</b> ·", 1)
    changed = {"hovertemplate": template} if template else {}
    return {**trace, "mode": "lines", "line": {**trace["line"], "dash": "dash", "width": min(1.5, trace["line"]["width"])}, **changed}


def ring(panel: Panel, colour: str, palette: Palette, meta: dict[str, Any], size: int = 11) -> Trace:
    """The mark of a newest point; ``meta`` binds it."""
    return {
        "type": "scatter",
        "mode": "markers",
        "yaxis": panel.axis,
        "marker": {"symbol": "circle", "size": size, "color": palette.surface, "line": {"color": colour, "width": 2.5}},
        "hoverinfo": "skip",
        "showlegend": False,
        "cliponaxis": False,
        "meta": meta,
    }


def require_control(curves: Curves, run: RunView, control: str) -> None:
    """Refuse to draw an f_mem that has no control.

    Raises:
        FigureError: if the run has f_mem without it.
    """
    if series_of(curves, run, control) is None:
        raise FigureError(
            f"run {run.id} has f_mem but no {control}: f_mem is never drawn without its held-out control. "
            "Measure the control with it, or leave the run out"
        )


def control_curves(groups: Sequence[Group], panel: Panel, *, metric: str, curves: Curves, options: ViewOptions) -> list[Trace]:
    """The held-out control that belongs to each run's f_mem; one trace for all where there are many."""
    runs = [(run.id, divisor(run, options)) for group in groups for run in group.runs]
    bound = [bind_many(runs, metric)] if crowded(curves) else [bind(run, metric, divisor=by) for run, by in runs]
    return [control_curve(panel, meta, options) for meta in bound]


def control_curve(panel: Panel, meta: dict[str, Any], options: ViewOptions) -> Trace:
    """The dotted line of a control; ``meta`` binds its numbers."""
    return {
        "type": "scatter",
        "mode": "lines",
        "yaxis": panel.axis,
        "name": "held-out control",
        "line": {"color": options.palette.control, "width": 1.5, "dash": "dot"},
        "connectgaps": False,
        "showlegend": False,
        "hoverinfo": "skip",
        "meta": meta,
    }


def _hovered(name: str, metric: str, *, focus: bool, curves: Curves, options: ViewOptions) -> dict[str, Any]:
    """The hover line; among many runs the focused one's alone, for a box of forty lines is read by nobody and slows every update."""
    if crowded(curves) and not focus:
        return {"hoverinfo": "skip"}
    return {"hovertemplate": hover(name, metric, with_interval=has_interval(curves, metric), options=options)}


def hover(name: str, metric: str, *, with_interval: bool, options: ViewOptions) -> str:
    """A line of the hover box: name, value, interval, count, and when it was measured: runs have checkpoints of their own."""
    is_share = metric.startswith("f_mem")
    form = ":.1%" if is_share or metric.startswith("loss_gap") else ":.3~g"
    spread = f" (%{{customdata[0]{form}}} to %{{customdata[1]{form}}})" if with_interval else ""
    count = " of %{customdata[2]:,} copied" if is_share else ""
    named = {"frechet": "distance ", "fid": "FID ", "kid": "kernel distance ", "loss_gap": "gap ", "loss": "loss "}
    what = next((word for prefix, word in named.items() if metric.startswith(prefix)), "")
    return f"<b>{name}</b> · {what}%{{y{form}}}{spread}{count}, τ %{{customdata[3]:,}}<extra></extra>"


def threshold(value: float, panel: Panel, *, colour: str, x_range: tuple[float, float], overlaid: bool = False) -> Shape:
    """A dotted level across the panel."""
    return {
        "type": "line",
        "xref": "x",
        "x0": x_range[0],
        "x1": x_range[1],
        "yref": panel.axis,
        "y0": value,
        "y1": value,
        "line": {"color": colour, "width": 1, "dash": "dot"},
        # A panel that lies over another has no layer between its grid and its curves.
        "layer": "above" if overlaid else "between",
    }


def reached_onsets(
    name: OnsetName, groups: Sequence[Group], level: float, panel: Panel, *, curves: Curves, options: ViewOptions
) -> list[Trace]:
    """The marks, on the level, of the onsets that were reached; the others have their arrow in the run's row, where it meets no curve."""
    traces: list[Trace] = []
    for group in groups:
        for run in group.runs:
            onset = run.onsets.get(name)
            if onset is not None and onset.status is OnsetStatus.REACHED:
                span, by = measured_span(curves, run, onset.metric), divisor(run, options)
                traces.extend(onset_marks(name, onset, y=level, yaxis=panel.axis, divisor=by, palette=options.palette, measured=span))
    return joined(traces) if crowded(curves) else traces


def line_ends(lines: Sequence[SeedLine], metric: str, *, focus: Group | None, curves: Curves, options: ViewOptions) -> list[LineEnd]:
    """Every line with the text for its end; of many lines the first, the last and the focused."""
    ends = []
    for line in [line for line in lines if not crowded(curves) or line in (lines[0], lines[-1]) or line.members is focus]:
        series = series_of(curves, line.run, metric)
        if series is not None:
            by, bold = divisor(line.run, options), line.members is focus
            points = tuple(
                (step / by, value) for step, value in zip(series.step, series.value, strict=True) if value is not None and step > 0
            )
            # The lightest steps of the scale are too faint for text; the line beside it carries the colour.
            ends.append(LineEnd(points, line.name, options.palette.ink_1 if bold else options.palette.ink_2, bold=bold))
    return ends


def breaks(groups: Sequence[Group], metric: str, panel: Panel, *, curves: Curves, options: ViewOptions) -> list[Annotation]:
    """A cross at the panel's upper edge where a run diverged, with its step."""
    marks = []
    for group in groups:
        for run in group.runs:
            series = series_of(curves, run, metric)
            lost = [step for step, reason in zip(series.step, series.reason, strict=True) if reason == "diverged"] if series else []
            if lost:
                marks.append(_cross(lost[0], divisor(run, options), panel, group.name, options.palette))
    return marks


def _cross(step: int, by: float, panel: Panel, name: str, palette: Palette) -> Annotation:
    return {
        "x": log_position(max(step, 1) / by),
        "xref": "x",
        "y": panel.top,
        "yref": "paper",
        "yanchor": "top",
        "text": f"× {name} diverged at τ {step:,}",
        "showarrow": False,
        "font": {"color": palette.ink_1, "size": 12},
    }
