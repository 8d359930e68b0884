"""What the spectrum page fetches again as data arrive: the error by band and by component, the losses over noise levels, and tables."""

from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from frontend.charts.figure import ViewOptions
from frontend.charts.groups import focused, group_runs, run_name
from frontend.charts.loss_grid import MAPS, loss_grid_figure
from frontend.charts.printing import printed, projected
from frontend.charts.reading import DESCRIBED
from frontend.charts.spectrum import PARTS, SETS, metrics_of, spectrum_figure
from frontend.charts.theory import theory_figure
from frontend.connection import client_for
from frontend.markup.alternative import plain
from frontend.markup.downloads import Chart, curves_csv, downloads
from frontend.markup.header import header
from frontend.markup.html import join
from frontend.markup.spectrum import data_table, grid_table, learnt_in, learnt_table, spectrum_finding, spectrum_keys
from frontend.markup.state import is_live
from frontend.markup.theory import theory_keys
from frontend.views import answer, asked
from frontend.words import slots_words
from tauscope.contracts.curves import Curves
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.run_views import RunView

_RIGHT, _HEIGHT, _TALK_HEIGHT, _PRINT_SHAPE = 130, 340.0, 460.0, 0.6
_NAMES = {"bands": "Error by Fourier band", "components": "Error by principal component", "grid": "Losses over noise levels"}


async def serve_spectrum(request: Request) -> Response:
    """``GET /view/spectrum/{id}``: the spectrum page's regions; ``run`` names the run, ``set`` whose error, ``map`` which map."""
    identifier, token, options = asked(request)
    return await answer(lambda: _spectrum(identifier, token, options, dict(request.query_params)))


def _spectrum(identifier: str, token: str | None, options: ViewOptions, query: dict[str, str]) -> dict[str, Any]:
    client = client_for(token)
    experiment, curves = client.experiment(identifier), client.curves(identifier, max_points=DESCRIBED)
    return spectrum_view(experiment, curves, options, query) | {"slots": slots_words(client.system()), "cursor": curves.cursor}


def spectrum_view(experiment: ExperimentView, curves: Curves, options: ViewOptions, query: dict[str, str]) -> dict[str, Any]:
    """Everything the spectrum page shows, by region."""
    options = replace(options, right=_RIGHT)
    choices = run_choices(experiment, options)
    run = next((run for run in experiment.runs if run.id == query.get("run")), chosen_run(experiment, options))
    of_set = query.get("set", "") if query.get("set", "") in SETS else next(iter(SETS))
    shown = query.get("map", "") if query.get("map", "") in MAPS else next(iter(MAPS))
    figures = _figures(run, curves, of_set, shown, options)
    onsets = learnt_in(run, curves)
    said = spectrum_finding(choices[run.id], run, curves, onsets)
    metrics = {part: metrics_of(curves.metrics, part, of_set) for part in PARTS}
    metrics["grid"] = [name for name in curves.metrics if name.startswith(("grid_", "theory_grid_"))]
    charts = [Chart(part, _NAMES[part], part, curves_csv(experiment, names)) for part, names in metrics.items() if part in figures]
    return {
        "figures": figures,
        "header": header(experiment, tab="spectrum", run_id=run.id),
        "finding": said,
        "keys": join(spectrum_keys(curves, of_set), theory_keys() if shown == "theory" and "grid" in figures else None),
        "table": join(
            learnt_table(run, curves, onsets),
            grid_table(run, curves),
            data_table(run, curves, [name for part in PARTS for name in metrics[part]]),
            downloads(experiment, charts) if charts else None,
        ),
        "alt": {part: f"{_NAMES[part]}. {plain(said)}" for part in figures},
        "live": is_live(experiment),
    }


def run_choices(experiment: ExperimentView, options: ViewOptions) -> dict[str, str]:
    """Every run by its id, with n and seed, in the order of n."""
    return {run.id: run_name(group, run) for group in group_runs(experiment, options.palette) for run in group.runs}


def chosen_run(experiment: ExperimentView, options: ViewOptions) -> RunView:
    """The run shown where the address names none: the first of the focused group."""
    group = focused(group_runs(experiment, options.palette), options.focus)
    return group.runs[0] if group else experiment.runs[0]


def _figures(run: RunView, curves: Curves, of_set: str, shown: str, options: ViewOptions) -> dict[str, Any]:
    height = options.pixels * _PRINT_SHAPE if options.print_mm else _TALK_HEIGHT if options.talk else _HEIGHT
    made = {part: spectrum_figure(run, curves, part, of_set, options, height=height) for part in PARTS}
    made["grid"] = (
        theory_figure(run, curves, options, height=height)
        if shown == "theory"
        else loss_grid_figure(run, curves, shown, options, height=height)
    )
    found = {part: figure for part, figure in made.items() if figure is not None}
    if options.print_mm:
        return {part: printed(figure, options) for part, figure in found.items()}
    return {part: projected(figure) for part, figure in found.items()} if options.talk else found
