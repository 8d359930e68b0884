"""What the law page fetches again as data arrive: two figures, the sliders' score, and the fitted laws."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import Response

from frontend.charts.collapse import collapse_figure, copy_curve
from frontend.charts.figure import ViewOptions
from frontend.charts.groups import group_runs
from frontend.charts.law import law_figure, scales_with
from frontend.charts.memorization import CONTROL, F_MEM
from frontend.charts.printing import printed, projected
from frontend.charts.reading import copying_metric, level_of
from frontend.connection import client_for
from frontend.markup.alternative import plain
from frontend.markup.collapse import LETTERS, PAPERS, collapse_words, sliders, within_range
from frontend.markup.downloads import Chart, curves_csv, downloads
from frontend.markup.header import header
from frontend.markup.html import join, tag
from frontend.markup.law import foretold_words, law_finding, law_keys, law_table
from frontend.markup.side import measure_words, onset_table
from frontend.markup.state import is_live
from frontend.views import answer, asked
from frontend.words import slots_words
from tauscope.analysis.collapse import Collapse, CopyCurve, NoCollapseError, collapse
from tauscope.analysis.onsets import tau_mem
from tauscope.analysis.scaling import fit_sweep
from tauscope.contracts.curves import Curves
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.onsets import Onset, PowerLawFit, ScalingVariable
from tauscope.contracts.run_views import RunView
from tauscope.contracts.summary import RunSummary
from tauscope.figures.source import points_of

Asked = Mapping[ScalingVariable, float | None]
"""The exponents that an address names."""
_RIGHT = 76
_ABOVE, _ABOVE_IN_TALK, _MIN_HEIGHT, _PRINT_SHAPE = 470, 150, 340, 0.8


async def serve_law(request: Request) -> Response:
    """``GET /view/law/{id}``: the law page's regions; ``a`` and ``b`` are the sliders' exponents of n and W, ``measure`` the level
    of copying, ``by`` what the law is drawn against."""
    identifier, token, options = asked(request)
    query = request.query_params
    asked_for = {variable: _number(query.get(letter)) for variable, letter in LETTERS.items()}
    return await answer(lambda: _law(identifier, token, options, exponents=asked_for, measure=query.get("measure"), by=query.get("by")))


def _law(
    identifier: str, token: str | None, options: ViewOptions, *, exponents: Asked, measure: str | None, by: str | None
) -> dict[str, Any]:
    client = client_for(token)
    experiment = client.experiment(identifier)
    curves = client.curves(identifier, copying_metrics(experiment))
    view = law_view(experiment, curves, options, exponents=exponents, level=_number(measure), by=by)
    return view | {"slots": slots_words(client.system()), "cursor": curves.cursor}


def copying_metrics(experiment: ExperimentView) -> tuple[str, ...]:
    """What the collapse is of: the measure that defines tau_mem, and what is subtracted from it."""
    metric = copying_metric(experiment)
    return (metric, CONTROL) if metric == F_MEM else (metric,)


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None


def law_view(
    experiment: ExperimentView, curves: Curves, options: ViewOptions, *, exponents: Asked, level: float | None, by: str | None = None
) -> dict[str, Any]:
    """Everything the law page shows, by region."""
    own = level_of(experiment, "tau_mem")
    experiment, level = at_level(experiment, curves, level)
    options = replace(options, right=_RIGHT)
    varying = scales_with(experiment)
    variable = next((name for name in varying if name == by), varying[0] if varying else "n")
    groups = group_runs(experiment, options.palette)
    found = collapse_of(experiment, curves, varying or ("n",))
    chosen = _exponents(found, exponents, varying or ("n",))
    metric = copying_metric(experiment)
    above = _ABOVE_IN_TALK if options.talk else _ABOVE
    height = options.pixels * _PRINT_SHAPE if options.print_mm else max(_MIN_HEIGHT, (options.viewport or 900) - above)
    figures = {
        "collapse": collapse_figure(groups, curves, chosen, options, level=level, height=height, metric=metric),
        "law": law_figure(groups, experiment.fits, options, height=height, by=variable),
    }
    said = law_finding(experiment, variable)
    scored = collapse_words(found, chosen, measure_words(curves, metric))
    return {
        "figures": {name: _sized(made, options) for name, made in figures.items()},
        "header": header(experiment, tab="law"),
        "finding": said,
        "slider": sliders(found, chosen),
        "law_keys": law_keys(experiment),
        "collapse_words": scored,
        "score": _score(found),
        "table": join(
            foretold_words(groups),
            law_table(experiment, curves, experiment.fits, level),
            downloads(experiment, _charts(experiment, own_level=own is None or level == own[1])),
            tag("details", tag("summary", "Data table"), onset_table(experiment, curves, groups, None), class_="tau-details"),
        ),
        "alt": {"collapse": plain(scored), "law": plain(said)},
        "live": is_live(experiment),
    }


def _sized(figure: dict[str, Any], options: ViewOptions) -> dict[str, Any]:
    if options.print_mm:
        return printed(figure, options)
    return projected(figure) if options.talk else figure


def _charts(experiment: ExperimentView, *, own_level: bool) -> tuple[Chart, ...]:
    """The two charts; the API knows the onsets at the spec's own level alone."""
    onsets = f"/api/v1/experiments/{experiment.id}/onsets.csv" if own_level else ""
    return Chart("collapse", "Collapse", "collapse", curves_csv(experiment, copying_metrics(experiment))), Chart(
        "law", "Law", "law", onsets
    )


def _exponents(found: Collapse | str, asked: Asked, varying: Sequence[ScalingVariable]) -> dict[ScalingVariable, float]:
    """The exponents of the address, else the best ones, else those of the paper."""
    best = {} if isinstance(found, str) else {scaling.variable: scaling.best for scaling in found.scalings}
    given = {name: value for name, value in asked.items() if value is not None}
    return {name: within_range(name, given.get(name, best.get(name, PAPERS[name][1]))) for name in varying}


def _score(found: Collapse | str) -> dict[str, Any] | None:
    """What the browser needs to follow the sliders: the score's minimum and curvature, and the spread without scaling."""
    if isinstance(found, str):
        return None
    curvature = [[value / found.unscaled for value in row] for row in found.within]
    return {"best": found.best, "least": found.score(*found.best), "curvature": curvature, "unscaled": found.unscaled}


def collapse_of(experiment: ExperimentView, curves: Curves, variables: Sequence[ScalingVariable] = ("n",)) -> Collapse | str:
    """The collapse score over all runs that have begun; where there is none, why."""
    found = [copy_curve(curves, run, copying_metric(experiment)) for run in experiment.runs]
    known = [curve for curve in found if curve is not None]
    return _collapse(tuple((curve.n, tuple(curve.tau), tuple(curve.excess), curve.width) for curve in known), tuple(variables))


_Known = tuple[float, tuple[float, ...], tuple[float, ...], float | None]


@lru_cache(maxsize=32)
def _collapse(curves: tuple[_Known, ...], variables: tuple[ScalingVariable, ...]) -> Collapse | str:
    """Remembered: every move of a control asks again for the same curves."""
    made = [CopyCurve(n, np.array(tau), np.array(excess), width) for n, tau, excess, width in curves]
    try:
        return collapse(made, variables)
    except NoCollapseError as error:
        return str(error)


def at_level(experiment: ExperimentView, curves: Curves, level: float | None) -> tuple[ExperimentView, float | None]:
    """The experiment with tau_mem and its law read at another level of copying; as it is where that is its own."""
    own = level_of(experiment, "tau_mem")
    if level is None or not 0 < level < 1 or (own and level == own[1]):
        return experiment, own[1] if own else None
    runs = tuple(run.model_copy(update={"onsets": run.onsets | _onset_at(curves, run, level)}) for run in experiment.runs)
    return experiment.model_copy(update={"runs": runs, "fits": _fits(runs)}), level


def _onset_at(curves: Curves, run: RunView, level: float) -> dict[str, Onset]:
    known = run.onsets.get("tau_mem")
    return {"tau_mem": tau_mem(points_of(curves.runs.get(run.id, {})), level, known.metric)} if known else {}


def _fits(runs: tuple[RunView, ...]) -> dict[str, PowerLawFit]:
    return fit_sweep(
        [
            RunSummary(id=run.id, params=run.params, state=run.state, onsets=run.onsets, final=run.final, seconds=run.seconds)
            for run in runs
            if run.state != "failed"
        ]
    )
