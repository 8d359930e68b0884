"""The spectrum of U: a histogram of sampled eigenvalues on logarithmic bins, the limiting density over it, bulks and atom named."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from frontend.charts.axes import base_layout, log_axis, value_axis
from frontend.charts.figure import Annotation, Shape, Trace, ViewOptions, label, log_position
from frontend.theme import with_opacity
from frontend.words import number, percent
from tauscope.contracts.curves import Curves
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.run_views import RunView
from tauscope.theory.rf_spectrum import bulk_names

Value = tuple[float, int | None]
_TOLD = ("low", "median", "high", "mass", "tau")
BULKS = tuple(f"bulk_{name}@{place}" for place in range(1, 7) for name in (*_TOLD, "gap"))
"""All that may be told of bulks: two levels of Sigma make six of them at most."""


def value_of(run: RunView, curves: Curves, metric: str) -> Value | None:
    """What was told of a spectrum, and over how many eigenvalues or draws."""
    found = curves.runs.get(run.id, {}).get(metric)
    if found is None or not found.value or found.value[-1] is None:
        return None
    return found.value[-1], found.count[-1]


def bulks_of(run: RunView, curves: Curves) -> list[dict[str, float]]:
    """Ends, median, mass and time scale of each bulk, the largest eigenvalues first."""
    found: list[dict[str, float]] = []
    while value_of(run, curves, f"bulk_low@{len(found) + 1}") is not None:
        told = {name: value_of(run, curves, f"bulk_{name}@{len(found) + 1}") for name in _TOLD}
        found.append({name: item[0] for name, item in told.items() if item is not None})
    return found


def ratios_of(experiment: ExperimentView, run: RunView) -> dict[str, float]:
    """psi_p and psi_n of a run."""
    base: Mapping[str, Any] = experiment.sweep.get("base", {})
    return {name: float(run.params.get(name, base.get(name, 0.0))) for name in ("psi_p", "psi_n")}


def names_of(bulks: Sequence[dict[str, float]], *, psi_p: float, psi_n: float) -> tuple[str, ...]:
    """What each bulk holds."""
    return bulk_names([bulk["mass"] for bulk in bulks], psi_p, psi_n)


def foretold(experiment: ExperimentView, run: RunView, curves: Curves) -> list[tuple[str, float]]:
    """What each bulk holds and when it is learnt, of a run that is told."""
    bulks = bulks_of(run, curves)
    names = names_of(bulks, **ratios_of(experiment, run))
    return [(name, bulk["tau"]) for name, bulk in zip(names, bulks, strict=True)]


def density_figure(
    run: RunView, curves: Curves, options: ViewOptions, *, psi_p: float, psi_n: float, height: float
) -> dict[str, Any] | None:
    """Share of all p eigenvalues by bin, or nothing while there is none."""
    bins = _bins(run, curves)
    bulks = bulks_of(run, curves)
    if len(bins) < 2 or not bulks:
        return None
    palette = options.palette
    edges = [10**at for at, *_ in bins]
    edges.append(edges[-1] * edges[-1] / edges[-2])
    shown = [share for _, *shares in bins for share in shares if share > 0]
    y_range = (max(min(shown), max(shown) * 1e-4) / 1.6, max(shown) * 4)
    names = names_of(bulks, psi_p=psi_p, psi_n=psi_n)
    title = "<b>Spectrum of U</b>" + ("" if options.narrow else ": share of all eigenvalues by bin; bars sampled, line by theory, log-log")
    return {
        "data": [_bars(bins, edges, options), _theory(bins, edges, options)],
        "layout": {
            **base_layout(options, height),
            "hovermode": "closest",
            "bargap": 0,
            "xaxis": log_axis(options, (edges[0] / 1.2, edges[-1] * 1.2), "eigenvalue λ of U (log)"),
            "yaxis": {"gridcolor": palette.grid, "zeroline": False, "showline": False, **value_axis(y_range, log=True)},
            "shapes": [shape for bulk in bulks for shape in _span(bulk, options)],
            "annotations": [
                label(0, 1, title, colour=palette.ink_1, yanchor="bottom", yshift=10),
                *[_name(bulk, name, options) for bulk, name in zip(bulks, names, strict=True)],
            ],
            "meta": {"height": height},
            "uirevision": f"{run.id}/density",
        },
    }


def _bins(run: RunView, curves: Curves) -> list[tuple[float, float, float]]:
    """log10 of each bin's lower edge, the sampled share and that by theory; bins in a gap have neither."""
    found = []
    for name in curves.runs.get(run.id, {}):
        if name.startswith("rho_sampled@"):
            at = name.partition("@")[2]
            sampled, theory = value_of(run, curves, name), value_of(run, curves, f"rho_theory@{at}")
            if sampled is not None and theory is not None:
                found.append((float(at), sampled[0], theory[0]))
    return sorted(found)


def _bars(bins: Sequence[tuple[float, float, float]], edges: Sequence[float], options: ViewOptions) -> Trace:
    middles = [(low * high) ** 0.5 for low, high in pairwise(edges)]
    return {
        "type": "bar",
        "x": middles,
        "width": [high - low for low, high in pairwise(edges)],
        "y": [sampled or None for _, sampled, _ in bins],
        "marker": {"color": with_opacity(options.palette.ink_3, 0.45), "line": {"width": 0}},
        "text": [
            f"λ {number(low)} to {number(high)}<br>sampled <b>{percent(sampled)}</b>, theory {percent(theory)} of all eigenvalues"
            for (low, high), (_, sampled, theory) in zip(pairwise(edges), bins, strict=True)
        ],
        "textposition": "none",
        "hovertemplate": "%{text}<extra></extra>",
        "showlegend": False,
        "meta": {"of": "sampled"},
    }


def _theory(bins: Sequence[tuple[float, float, float]], edges: Sequence[float], options: ViewOptions) -> Trace:
    """A step for each bin: what it must hold."""
    x, y = [], []
    for (low, high), (_, _, theory) in zip(pairwise(edges), bins, strict=True):
        x += [low, high]
        y += [theory or None] * 2
    return {
        "type": "scatter",
        "mode": "lines",
        "x": x,
        "y": y,
        "line": {"color": options.palette.ink_1, "width": 1.6},
        "connectgaps": False,
        "hoverinfo": "skip",
        "showlegend": False,
        "meta": {"of": "theory"},
    }


def _span(bulk: dict[str, float], options: ViewOptions) -> list[Shape]:
    place = {"type": "rect", "yref": "paper", "y0": 0, "y1": 1, "x0": bulk["low"], "x1": bulk["high"]}
    return [{**place, "fillcolor": with_opacity(options.palette.quality, 0.08), "line": {"width": 0}, "layer": "below"}]


def _name(bulk: dict[str, float], name: str, options: ViewOptions) -> Annotation:
    words = f"{name}<br>τ {number(bulk['tau'])}"
    middle = log_position((bulk["low"] * bulk["high"]) ** 0.5)
    return label(middle, 1, words, colour=options.palette.ink_2, xref="x", xanchor="center", yanchor="top", yshift=-4)
