"""Both onsets against n or W on logarithmic axes: every seed, the fitted laws with their bands, and the paper's slope beside them."""

import math
from collections.abc import Sequence
from typing import Any

from frontend.charts.axes import base_layout, log_axis, plain_axis
from frontend.charts.figure import Annotation, Trace, ViewOptions, label, log_position, log_ticks
from frontend.charts.forecast import forecast_of, hollow
from frontend.charts.groups import Group
from frontend.charts.marks import ONSETS, SIZES, SYMBOLS, TITLES, OnsetName, onset_colour
from frontend.theme import with_opacity
from frontend.words import exponent, interval, steps
from tauscope.analysis.scaling import AXES, scaled
from tauscope.analysis.scaling import SYMBOLS as VARIABLES
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.onsets import Onset, OnsetStatus, PowerLawFit, ScalingVariable
from tauscope.contracts.run_views import RunView

Fits = dict[str, PowerLawFit]
Placed = tuple[float, RunView, Onset]
_BESIDE = 0.035  # Of the axis: how far a forecast stands from its n.
_AXIS_WORDS: dict[ScalingVariable, str] = {"n": "training-set size n (log)", "width": "base width W, channels (log)"}
# What Bonnaire et al. 2025 find for tau_mem: in proportion to n, and to 1/W.
_PAPERS_SLOPE: dict[ScalingVariable, int] = {"n": 1, "width": -1}


def law_figure(groups: Sequence[Group], fits: Fits, options: ViewOptions, *, height: float, by: ScalingVariable = "n") -> dict[str, Any]:
    """The figure over n or W; only onsets that were reached are points, a censored one is an arrow up from its last step."""
    placed: dict[OnsetName, list[Placed]] = {name: _placed(groups, name, by) for name in ONSETS}
    sizes = sorted({at for group in groups for run in group.runs if (at := position(run, by))})
    n_range = (sizes[0] / 1.5, sizes[-1] * 1.5) if sizes else (1.0, 100.0)
    bounds = _bounds(placed)
    traces: list[Trace] = []
    joint = [variable for fit in fits.values() if fit.variable == by for variable in fit.jointly]
    words: list[Annotation] = [_title(options, by, joint)]
    for name in ONSETS:
        fit = fits.get(f"{name}_vs_{by}")
        if fit is not None and fit.exponent is not None:
            traces += _fit_traces(name, fit, placed[name], n_range, options)
            words.append(_fit_words(name, fit, placed[name], n_range, options))
        traces += _onset_traces(name, placed[name], options, VARIABLES[by])
    traces += [mark for at, run, _ in placed["tau_mem"] for mark in _foretold(at, run, n_range, options, VARIABLES[by])]
    words += _papers_slope(traces, placed["tau_mem"], n_range, options, _PAPERS_SLOPE[by])
    axis = log_axis(options, n_range, _AXIS_WORDS[by]) | {"tickvals": _thinned(sizes), "minor": {"showgrid": False}}
    return {
        "data": traces,
        "layout": {
            **base_layout(options, height),
            "hovermode": "closest",
            "xaxis": axis,
            "yaxis": {
                **plain_axis(options),
                "type": "log",
                "range": [math.log10(end) for end in bounds],
                "tickvals": log_ticks(*bounds),
                "tickformat": ",~r",
            },
            "annotations": words,
            "shapes": [],
            "meta": {"height": height},
        },
    }


def _title(options: ViewOptions, by: ScalingVariable, joint: Sequence[ScalingVariable]) -> Annotation:
    words = f"<b>Law</b>: onsets τ against {VARIABLES[by]}, steps" + ("" if options.narrow else ", bars and bands 95 %")
    words += f"; lines: mean over {VARIABLES[joint[0]]}" if joint and not options.narrow else "" if options.narrow else ", log-log"
    return label(0, 1, words, colour=options.palette.ink_1, yanchor="bottom", yshift=10)


def _placed(groups: Sequence[Group], name: OnsetName, by: ScalingVariable) -> list[Placed]:
    return [(at, run, run.onsets[name]) for group in groups for run in group.runs if (at := position(run, by)) and name in run.onsets]


def scales_with(experiment: ExperimentView) -> tuple[ScalingVariable, ...]:
    """What a law can scale with in this experiment: n, W, both or nothing."""
    return tuple(variable for variable in AXES if len({position(run, variable) for run in experiment.runs} - {None}) > 1)


def position(run: RunView, by: ScalingVariable) -> float | None:
    """Where a run stands on the axis; every run has an n, but a width only where it is an axis of the sweep."""
    return (float(run.n_train) if run.n_train else None) if by == "n" else scaled(run.params, by)


def _prefactor(fit: PowerLawFit, placed: Sequence[Placed]) -> float:
    """tau at 1 of the fitted line, through the geometric mean of what else varies.

    A law is fitted over the values of an axis, which may be points per dimension where the page counts points.
    """
    logs = [
        other * math.log(at)
        for variable, other in fit.jointly.items()
        for _, run, _ in placed
        if (at := position(run, variable)) is not None
    ]
    unit = next((at / given for at, run, _ in placed if (given := scaled(run.params, fit.variable))), 1.0)
    return (fit.prefactor or 0.0) * math.exp(sum(logs) / len(placed) - (fit.exponent or 0.0) * math.log(unit))


def _bounds(placed: dict[OnsetName, list[Placed]]) -> tuple[float, float]:
    ends = [
        end
        for listed in placed.values()
        for _, run, onset in listed
        for end in (onset.value, onset.low, onset.high, float(run.step) if onset.status is OnsetStatus.CENSORED else None)
        if end is not None and end > 0
    ]
    made = [forecast_of(run) for _, run, _ in placed["tau_mem"]]
    ends += [end for item in made if item is not None for end in (item.low, item.high) if end]
    low, high = (min(ends), max(ends)) if ends else (1.0, 1000.0)
    return low / 1.6, high * 2.2


def _thinned(sizes: Sequence[float]) -> list[float]:
    return list(sizes[:: max(1, math.ceil(len(sizes) / 8))])


def _centre(placed: Sequence[Placed]) -> tuple[float, float]:
    """Geometric mean of n and of the reached onsets, through which the band of the exponent turns."""
    reached = [(n, onset.value) for n, _, onset in placed if onset.value is not None]
    log_n, log_tau = (sum(math.log(value) for value in column) / len(reached) for column in zip(*reached, strict=True))
    return math.exp(log_n), math.exp(log_tau)


def _fit_traces(
    name: OnsetName, fit: PowerLawFit, placed: Sequence[Placed], n_range: tuple[float, float], options: ViewOptions
) -> list[Trace]:
    assert fit.exponent is not None
    colour = onset_colour(name, options.palette)
    n = [n_range[0] * (n_range[1] / n_range[0]) ** (k / 40) for k in range(41)]
    middle, _ = _centre(placed)
    prefactor = _prefactor(fit, placed)
    at_middle = prefactor * middle**fit.exponent
    line = {"type": "scatter", "mode": "lines", "hoverinfo": "skip", "showlegend": False, "x": n}
    traces: list[Trace] = []
    if fit.low is not None and fit.high is not None:
        ends = [[at_middle * (size / middle) ** slope for slope in (fit.low, fit.high)] for size in n]
        edge = {**line, "line": {"width": 0, "color": colour}}
        traces = [
            {**edge, "y": [min(pair) for pair in ends]},
            {**edge, "y": [max(pair) for pair in ends], "fill": "tonexty", "fillcolor": with_opacity(colour, 0.11)},
        ]
    return [*traces, {**line, "y": [prefactor * size**fit.exponent for size in n], "line": {"color": colour, "width": 2}}]


def _fit_words(
    name: OnsetName, fit: PowerLawFit, placed: Sequence[Placed], n_range: tuple[float, float], options: ViewOptions
) -> Annotation:
    assert fit.exponent is not None
    x = math.sqrt(n_range[0] * n_range[1])
    y = _prefactor(fit, placed) * x**fit.exponent
    text = f"<b>{TITLES[name]} ~ {VARIABLES[fit.variable]}<sup>{exponent(fit.exponent)}</sup></b>"
    # On the side away from which the line rises, so that it does not run through the words.
    side = {"xanchor": "right", "xshift": -18} if fit.exponent >= 0 else {"xanchor": "left", "xshift": 18}
    place = {"xref": "x", "yref": "y", "yanchor": "bottom", "yshift": 12, **side}
    colour = onset_colour(name, options.palette)
    return label(log_position(x), log_position(y), text, colour=colour, font={"color": colour, "size": 14}, **place)


def _onset_traces(name: OnsetName, placed: Sequence[Placed], options: ViewOptions, symbol: str) -> list[Trace]:
    by_n: dict[float, list[Placed]] = {}
    for item in placed:
        by_n.setdefault(item[0], []).append(item)
    traces: list[Trace] = []
    for n, items in by_n.items():
        reached = [(run, onset) for _, run, onset in items if onset.value is not None]
        traces += [_mark(name, n, run, onset, options, symbol, small=len(items) > 1) for run, onset in reached]
        if len(reached) > 1:
            traces.append(_mean_mark(name, n, [onset.value for _, onset in reached if onset.value], options, symbol))
        traces += [_arrow(name, n, run, onset, options, symbol) for _, run, onset in items if onset.status is OnsetStatus.CENSORED]
    return traces


def _mark(name: OnsetName, n: float, run: RunView, onset: Onset, options: ViewOptions, symbol: str, *, small: bool) -> Trace:
    assert onset.value is not None
    colour = with_opacity(onset_colour(name, options.palette), 0.45 if small else 1)
    upper = (onset.high if onset.high is not None else onset.value) - onset.value
    lower = onset.value - (onset.low if onset.low else onset.value)
    size = SIZES[name] * (0.6 if small else 1)
    seed = f", seed {run.params['seed']}" if "seed" in run.params else ""
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [n],
        "y": [onset.value],
        "marker": {"symbol": SYMBOLS[name], "size": size, "color": colour, "line": {"color": options.palette.surface, "width": 1}},
        "error_y": {"type": "data", "array": [upper], "arrayminus": [lower], "color": colour, "thickness": 1 if small else 2, "width": 3},
        "showlegend": False,
        "cliponaxis": False,
        "hovertemplate": f"<b>{TITLES[name]}</b>, {symbol} = {n:,.0f}{seed} · {steps(onset.value)}"
        f" ({steps(onset.low or 0)} to {steps(onset.high) if onset.high is not None else '∞'})<extra></extra>",
        "meta": {"onset": name, "status": "reached"},
    }


def _mean_mark(name: OnsetName, n: float, values: Sequence[float], options: ViewOptions, symbol: str) -> Trace:
    middle = math.exp(sum(map(math.log, values)) / len(values))
    marker = {"symbol": SYMBOLS[name], "size": SIZES[name], "color": onset_colour(name, options.palette)}
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [n],
        "y": [middle],
        "marker": {**marker, "line": {"color": options.palette.surface, "width": 1.5}},
        "showlegend": False,
        "cliponaxis": False,
        "hovertemplate": f"<b>{TITLES[name]}</b>, {symbol} = {n:,.0f} · geometric mean {steps(middle)} of {len(values)}<extra></extra>",
        "meta": {"onset": name, "status": "mean"},
    }


def _arrow(name: OnsetName, n: float, run: RunView, onset: Onset, options: ViewOptions, symbol: str) -> Trace:
    """A cap at the last step and an arrow up from it: later than this."""
    colour = onset_colour(name, options.palette)
    last = float(max(run.step, 1))
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": [n, n],
        "y": [last, last * 1.35],
        "line": {"color": colour, "width": 2},
        "marker": {"symbol": ["line-ew", "triangle-up"], "size": [11, 10], "color": colour, "line": {"color": colour, "width": 2}},
        "showlegend": False,
        "cliponaxis": False,
        "hovertemplate": f"<b>{TITLES[name]}</b>, {symbol} = {n:,.0f} · {onset.reason or 'not reached'}, censored<extra></extra>",
        "meta": {"onset": name, "status": "arrow"},
    }


def _foretold(n: float, run: RunView, n_range: tuple[float, float], options: ViewOptions, symbol: str) -> list[Trace]:
    """A forecast a little beside its n, where it meets neither the arrow of the same run nor the fit through what was measured."""
    made = forecast_of(run)
    if made is None or made.median is None or made.low is None or made.high is None:
        return []
    bar = {"type": "data", "array": [made.high - made.median], "arrayminus": [made.median - made.low]}
    words = f"{steps(made.median)} (80 %: {interval(made.low, made.high)})"
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "x": [n * (n_range[1] / n_range[0]) ** _BESIDE],
            "y": [made.median],
            **hollow(bar, "error_y", options.palette),
            "showlegend": False,
            "cliponaxis": False,
            "hovertemplate": f"<b>{TITLES['tau_mem']}</b> foretold, {symbol} = {n:,.0f} · {words}<extra></extra>",
            "meta": {"onset": "tau_mem", "status": "forecast"},
        }
    ]


def _papers_slope(
    traces: list[Trace], placed: Sequence[Placed], n_range: tuple[float, float], options: ViewOptions, slope: int
) -> list[Annotation]:
    """A dashed line of that slope through the middle of tau_mem."""
    if not any(onset.value is not None for _, _, onset in placed):
        return []
    middle, at_middle = _centre(placed)
    ink = options.palette.ink_3
    y = [at_middle * (size / middle) ** slope for size in n_range]
    dashed = {"color": ink, "width": 1.2, "dash": "dash"}
    traces.append(
        {"type": "scatter", "mode": "lines", "x": list(n_range), "y": y, "line": dashed, "hoverinfo": "skip", "showlegend": False}
    )
    words = f"slope {slope}".replace("-", "−")
    return [label(log_position(n_range[1]), log_position(y[1]), words, colour=ink, xref="x", yref="y", xshift=6)]
