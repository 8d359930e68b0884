"""What the law page fetches again as data arrive: two figures, the slider's score, and the fitted laws."""

from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import Response

from frontend.charts.collapse import collapse_figure, copy_curve
from frontend.charts.figure import ViewOptions
from frontend.charts.groups import group_runs
from frontend.charts.law import law_figure
from frontend.charts.memorization import CONTROL, F_MEM
from frontend.charts.printing import printed, projected
from frontend.charts.reading import level_of
from frontend.connection import client_for
from frontend.markup.alternative import plain
from frontend.markup.downloads import Chart, curves_csv, downloads
from frontend.markup.header import header
from frontend.markup.html import join, tag
from frontend.markup.law import A_RANGE, collapse_words, law_finding, law_keys, law_table, scales_with, slider
from frontend.markup.side import onset_table
from frontend.markup.state import is_live
from frontend.views import answer, asked
from frontend.words import slots_words
from tauscope.analysis.collapse import Collapse, CopyCurve, NoCollapseError, collapse
from tauscope.analysis.onsets import tau_mem
from tauscope.analysis.scaling import fit_sweep
from tauscope.contracts.curves import Curves
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.onsets import Onset, PowerLawFit
from tauscope.contracts.run_views import RunView
from tauscope.contracts.summary import RunSummary
from tauscope.figures.source import points_of

_RIGHT = 76
_ABOVE, _ABOVE_IN_TALK, _MIN_HEIGHT, _PRINT_SHAPE = 470, 150, 340, 0.8


async def serve_law(request: Request) -> Response:
    """``GET /view/law/{id}``: the law page's regions; ``a`` is the slider's exponent, ``measure`` the level of copying,
    ``by`` what the law is drawn against."""
    identifier, token, options = asked(request)
    query = request.query_params
    return await answer(lambda: _law(identifier, token, options, exponent=query.get("a"), measure=query.get("measure"), by=query.get("by")))


def _law(
    identifier: str, token: str | None, options: ViewOptions, *, exponent: str | None, measure: str | None, by: str | None
) -> dict[str, Any]:
    client = client_for(token)
    experiment, curves = client.experiment(identifier), client.curves(identifier, (F_MEM, CONTROL))
    view = law_view(experiment, curves, options, exponent=_number(exponent), level=_number(measure), by=by)
    return view | {"slots": slots_words(client.system()), "cursor": curves.cursor}


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None


def law_view(
    experiment: ExperimentView, curves: Curves, options: ViewOptions, *, exponent: float | None, level: float | None, by: str | None = None
) -> dict[str, Any]:
    """Everything the law page shows, by region."""
    own = level_of(experiment, "tau_mem")
    experiment, level = at_level(experiment, curves, level)
    options = replace(options, right=_RIGHT)
    varying = scales_with(experiment)
    variable = next((name for name in varying if name == by), varying[0] if varying else "n")
    groups = group_runs(experiment, options.palette)
    found = collapse_of(experiment, curves)
    a = min(max(exponent if exponent is not None else found.best if found else 1.0, A_RANGE[0]), A_RANGE[1])
    above = _ABOVE_IN_TALK if options.talk else _ABOVE
    height = options.pixels * _PRINT_SHAPE if options.print_mm else max(_MIN_HEIGHT, (options.viewport or 900) - above)
    figures = {
        "collapse": collapse_figure(groups, curves, a, options, level=level, height=height),
        "law": law_figure(groups, experiment.fits, options, height=height, by=variable),
    }
    said = law_finding(experiment, variable)
    scored = collapse_words(found, a, width_too=len(varying) > 1)
    return {
        "figures": {name: _sized(made, options) for name, made in figures.items()},
        "header": header(experiment, tab="law"),
        "finding": said,
        "slider": slider(found, a),
        "law_keys": law_keys(),
        "collapse_words": scored,
        "score": _score(found),
        "table": join(
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
    return Chart("collapse", "Collapse", "collapse", curves_csv(experiment, (F_MEM, CONTROL))), Chart("law", "Law", "law", onsets)


def _score(found: Collapse | None) -> dict[str, float] | None:
    """What the browser needs to follow the slider: the parabola, and the spread without scaling."""
    if found is None:
        return None
    return {"best": found.best, "least": found.score(found.best), "curvature": found.within / found.unscaled, "unscaled": found.unscaled}


def collapse_of(experiment: ExperimentView, curves: Curves) -> Collapse | None:
    """The collapse score over all runs that have begun; ``None`` where there is none."""
    found = [copy_curve(curves, run) for run in experiment.runs]
    known = [curve for curve in found if curve is not None]
    return _collapse(tuple((curve.n, tuple(curve.tau), tuple(curve.excess)) for curve in known))


@lru_cache(maxsize=32)
def _collapse(curves: tuple[tuple[int, tuple[float, ...], tuple[float, ...]], ...]) -> Collapse | None:
    """Remembered: every move of a control asks again for the same curves."""
    try:
        return collapse([CopyCurve(n, np.array(tau), np.array(excess)) for n, tau, excess in curves])
    except NoCollapseError:
        return None


def at_level(experiment: ExperimentView, curves: Curves, level: float | None) -> tuple[ExperimentView, float | None]:
    """The experiment with tau_mem and its law read at another level of copying; as it is where that is its own."""
    own = level_of(experiment, "tau_mem")
    if level is None or not 0 < level < 1 or (own and level == own[1]):
        return experiment, own[1] if own else None
    runs = tuple(run.model_copy(update={"onsets": run.onsets | _onset_at(curves, run, level)}) for run in experiment.runs)
    return experiment.model_copy(update={"runs": runs, "fits": _fits(runs)}), level


def _onset_at(curves: Curves, run: RunView, level: float) -> dict[str, Onset]:
    return {"tau_mem": tau_mem(points_of(curves.runs.get(run.id, {})), level)} if run.onsets else {}


def _fits(runs: tuple[RunView, ...]) -> dict[str, PowerLawFit]:
    return fit_sweep(
        [
            RunSummary(id=run.id, params=run.params, state=run.state, onsets=run.onsets, final=run.final, seconds=run.seconds)
            for run in runs
            if run.state != "failed"
        ]
    )
