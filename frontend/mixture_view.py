"""What the mixture page fetches again as data arrive: one run against the exact scores of its population and of its training points."""

from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from frontend.charts.figure import ViewOptions
from frontend.charts.mixture import PARTS, metrics_of, mixture_figure
from frontend.charts.printing import printed, projected
from frontend.charts.reading import DESCRIBED
from frontend.connection import client_for
from frontend.markup.alternative import plain
from frontend.markup.downloads import Chart, curves_csv, downloads
from frontend.markup.header import header
from frontend.markup.html import join
from frontend.markup.mixture import beside_table, chosen_index, data_table, mixture_finding, mixture_keys
from frontend.markup.state import is_live
from frontend.spectrum_view import chosen_run, run_choices
from frontend.views import answer, asked
from frontend.words import slots_words
from tauscope.contracts.curves import Curves
from tauscope.contracts.experiments import ExperimentView

_RIGHT, _HEIGHT, _TALK_HEIGHT, _PRINT_SHAPE = 150, 320.0, 460.0, 0.6


async def serve_mixture(request: Request) -> Response:
    """``GET /view/mixture/{id}``: the mixture page's regions; ``run`` names the run, ``index`` the noise level."""
    identifier, token, options = asked(request)
    return await answer(lambda: _mixture(identifier, token, options, dict(request.query_params)))


def _mixture(identifier: str, token: str | None, options: ViewOptions, query: dict[str, str]) -> dict[str, Any]:
    client = client_for(token)
    experiment, curves = client.experiment(identifier), client.curves(identifier, max_points=DESCRIBED)
    return mixture_view(experiment, curves, options, query) | {"slots": slots_words(client.system()), "cursor": curves.cursor}


def mixture_view(experiment: ExperimentView, curves: Curves, options: ViewOptions, query: dict[str, str]) -> dict[str, Any]:
    """Everything the mixture page shows, by region."""
    options = replace(options, right=_RIGHT)
    choices = run_choices(experiment, options)
    run = next((run for run in experiment.runs if run.id == query.get("run")), chosen_run(experiment, options))
    index = chosen_index(curves, query.get("index", ""))
    height = options.pixels * _PRINT_SHAPE if options.print_mm else _TALK_HEIGHT if options.talk else _HEIGHT
    made = {part: mixture_figure(run, curves, part, index, options, height=height) for part in PARTS}
    figures = {part: _shown(figure, options) for part, figure in made.items() if figure is not None}
    said = mixture_finding(choices[run.id], run, curves, index)
    names = {part: PARTS[part][0].partition(",")[0] for part in figures}
    charts = [Chart(part, name, part, curves_csv(experiment, metrics_of(part, index))) for part, name in names.items()]
    return {
        "figures": figures,
        "header": header(experiment, tab="mixture", run_id=run.id),
        "finding": said,
        "keys": join(mixture_keys(curves, index)),
        "table": join(beside_table(run, curves), data_table(run, curves, index), downloads(experiment, charts) if charts else None),
        "alt": {part: f"{name}. {plain(said)}" for part, name in names.items()},
        "live": is_live(experiment),
    }


def _shown(figure: dict[str, Any], options: ViewOptions) -> dict[str, Any]:
    return printed(figure, options) if options.print_mm else projected(figure) if options.talk else figure
