"""A map over psi_n and psi_p at a chosen training time: the test loss or E_score of every run of a sweep."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from frontend.charts.axes import base_layout, plain_axis
from frontend.charts.figure import ViewOptions, label
from frontend.charts.loss_grid import along
from frontend.charts.run_lines import Row, measured_rows
from frontend.words import number, steps
from tauscope.contracts.curves import Curves
from tauscope.contracts.experiments import ExperimentView

MAPS = {"loss_held_out": "Test loss", "score_error": "E_score"}
Cells = dict[tuple[float, float], Row]
_BAR_TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


def varies_in_both(experiment: ExperimentView) -> bool:
    """Whether there is a map to draw."""
    return all(len({run.params[name] for run in experiment.runs if name in run.params}) > 1 for name in ("psi_n", "psi_p"))


def cells_at(experiment: ExperimentView, curves: Curves, metric: str, tau: float) -> Cells:
    """By (psi_n, psi_p) what was told last by a training time, of the first seed that there is."""
    found: Cells = {}
    for run in experiment.runs:
        rows = [row for row in measured_rows(curves.runs.get(run.id, {}).get(metric)) if row[0] <= tau]
        if rows and "psi_n" in run.params and "psi_p" in run.params:
            found.setdefault((float(run.params["psi_n"]), float(run.params["psi_p"])), rows[-1])
    return found


def map_figure(
    experiment: ExperimentView, curves: Curves, metric: str, tau: float, options: ViewOptions, *, height: float
) -> dict[str, Any] | None:
    """The map, or nothing where one of the two does not vary or nothing is told by then."""
    cells = cells_at(experiment, curves, metric, tau) if varies_in_both(experiment) else {}
    if not cells:
        return None
    columns, rows = (sorted({place[axis] for place in cells}) for axis in (0, 1))
    title = f"<b>{MAPS[metric]}</b> at τ {steps(tau)}" + ("" if options.narrow else ", over points and features per dimension")
    z = [[math.log10(cell[1]) if (cell := cells.get((x, y))) and cell[1] > 0 else None for x in columns] for y in rows]
    return {
        "data": [
            {
                "type": "heatmap",
                "x": _edges(columns),
                "y": _edges(rows),
                "z": z,
                "text": [[number(cell[1]) if (cell := cells.get((x, y))) else "" for x in columns] for y in rows],
                "texttemplate": "" if options.narrow else "%{text}",
                "customdata": [[_hover(x, y, cells.get((x, y)), metric) for x in columns] for y in rows],
                "hovertemplate": "%{customdata}<extra></extra>",
                "hoverongaps": False,
                "xgap": 1,
                "ygap": 1,
                **_scale([value for row in z for value in row if value is not None], options),
            }
        ],
        "layout": {
            **base_layout(options, height),
            "hovermode": "closest",
            "xaxis": _axis(columns, "ψₙ = n/d (log)", options),
            "yaxis": _axis(rows, "ψₚ = p/d (log)", options),
            "annotations": [label(0, 1, title, colour=options.palette.ink_1, yanchor="bottom", yshift=10)],
            "meta": {"height": height},
            "uirevision": f"{experiment.id}/map/{metric}",
        },
    }


def _axis(values: Sequence[float], title: str, options: ViewOptions) -> dict[str, Any]:
    edges = _edges(values)
    named = {"tickvals": list(values), "ticktext": [f"{value:g}" for value in values], "showgrid": False}
    return {**plain_axis(options, title), "type": "log", "range": [math.log10(edges[0]), math.log10(edges[-1])], **named}


def _edges(values: Sequence[float]) -> list[float]:
    inner = [math.sqrt(a * b) for a, b in pairwise(values)]
    return [values[0] ** 2 / inner[0], *inner, values[-1] ** 2 / inner[-1]]


def _hover(x: float, y: float, cell: Row | None, metric: str) -> str:
    if cell is None:
        return ""
    step, value, low, high, count = cell
    told = f"{MAPS[metric]} <b>{number(value)}</b> ({number(low)} to {number(high)})"
    return f"ψₙ {x:g}, ψₚ {y:g}<br>{told}<br>{count:,} draws, told at τ {steps(step)}"


def _scale(values: Sequence[float], options: ViewOptions) -> dict[str, Any]:
    low, high = min(values), max(max(values), min(values) + 0.05)
    ticks = [tick for tick in _BAR_TICKS if low - 0.02 <= math.log10(tick) <= high + 0.02]
    ticked = {"tickvals": [math.log10(tick) for tick in ticks], "ticktext": [f"{tick:g}" for tick in ticks]}
    bar = {"thickness": 10, "outlinewidth": 0, "len": 1, "tickfont": {"size": 12, "color": options.palette.ink_2}, "xpad": 6, **ticked}
    return {"zmin": low, "zmax": high, "colorscale": along(options.palette), "colorbar": bar}
